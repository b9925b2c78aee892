"""Log-average miss rate: the papers' vector, curves that end early or begin late, regions, subsets, a slow reference."""

import math

import pytest
import torch
from metrics.boxes_by_hand import count, noisy_image, said, slow_regions, square, there
from torch import Tensor

from taskweave.metrics import (
    BIRDS,
    BIRDS_9,
    BIRDS_17,
    PEDESTRIANS,
    REASONABLE,
    LogAverageMissRate,
    log_average_miss_rate,
    reference_points,
)
from taskweave.parts import Part

FPPI = torch.tensor([0.005, 0.02, 0.2, 0.9], dtype=torch.float64)
MISS = torch.tensor([0.8, 0.5, 0.25, 0.1], dtype=torch.float64)


def measured(predictions: list[dict[str, Tensor]], targets: list[dict[str, Tensor]], metric: LogAverageMissRate) -> float:
    metric.update(predictions, targets)
    return float(metric.compute()["MR"])


@pytest.mark.parametrize(
    ("measure", "expected"),
    [(PEDESTRIANS, 0.397897), (BIRDS_9, 0.199474), (BIRDS_17, 0.207743)],
    ids=["9", "birds 9", "birds 17"],
)
def test_the_vector_of_the_definitions(measure: Part[LogAverageMissRate], expected: float) -> None:
    references = reference_points(*(measure.options[name] for name in ("low", "high", "points")))
    assert torch.equal(measure(1).references, references)
    assert float(log_average_miss_rate(FPPI, MISS, references)) == pytest.approx(expected, abs=1e-6)


def test_reference_points() -> None:
    quarter = [10 ** (-2 + k / 4) for k in range(9)]
    assert reference_points(1e-2, 1.0, 9).tolist() == pytest.approx(quarter, rel=1e-12)
    assert reference_points(1e-2, 1e2, 9).tolist() == pytest.approx([10 ** (-2 + k / 2) for k in range(9)], rel=1e-12)
    assert reference_points(1e-2, 1e2, 17)[:9].tolist() == pytest.approx(quarter, rel=1e-12)


def test_before_the_first_point_the_miss_rate_is_1_and_after_the_last_it_stays() -> None:
    references = torch.tensor([0.01, 0.1, 1.0], dtype=torch.float64)
    # .01 has no point at or left of it; .1 has (.05, .4); 1 is beyond the end and has it too.
    value = log_average_miss_rate(torch.tensor([0.05]).double(), torch.tensor([0.4]).double(), references)
    assert float(value) == pytest.approx((1.0 * 0.4 * 0.4) ** (1 / 3))
    empty = torch.empty(0, dtype=torch.float64)
    assert float(log_average_miss_rate(empty, empty, references)) == 1.0
    # A miss rate of 0 counts as 1e-10.
    perfect = log_average_miss_rate(torch.zeros(1).double(), torch.zeros(1).double(), references)
    assert float(perfect) == pytest.approx(1e-10)


def test_a_point_at_a_reference_belongs_to_it() -> None:
    """Of points of equal FPPI the last counts; 1 false positive in 100 images is at 1e-2 in spite of rounding."""
    references = reference_points(1e-2, 1.0, 9)
    value = log_average_miss_rate(torch.tensor([0.01, 0.01]).double(), torch.tensor([0.6, 0.3]).double(), references)
    assert float(value) == pytest.approx(0.3)
    images = [there([square(0)])] + [there([])] * 99
    detections = [said([square(50), square(0)], [0.9, 0.8])] + [said([], [])] * 99
    # One false positive comes first: at every reference the object is found; nothing is missed.
    assert measured(detections, images, LogAverageMissRate(1)) == pytest.approx(100 * 1e-10)


def test_by_hand() -> None:
    """Two images, three objects. By score: found, wrong, found, wrong: miss 2/3 at 0, 2/3 at 1/2, 1/3 at 1/2, 1/3 at 1."""
    images = [there([square(0), square(50)]), there([square(0)])]
    detections = [said([square(0), square(200)], [0.9, 0.8]), said([square(0), square(200)], [0.7, 0.6])]
    # The references below .5 (10^-2 ... 10^-.5 = .316, seven) have 2/3; .562 and 1 have 1/3.
    assert measured(detections, images, LogAverageMissRate(1)) == pytest.approx(
        100 * ((2 / 3) ** 7 * (1 / 3) ** 2) ** (1 / 9)
    )
    metric = LogAverageMissRate(["person"])
    metric.update(detections, images)
    (curve,) = metric.curves()
    assert curve.x == (0.0, 0.5, 0.5, 1.0) and curve.y == pytest.approx((2 / 3, 2 / 3, 1 / 3, 1 / 3))
    assert (curve.name, curve.x_axis, curve.y_axis, curve.logarithmic) == (
        "person", "false positives per image", "miss rate", True,
    )  # fmt: skip


def test_images_without_objects_count_as_images() -> None:
    images, detections = [there([square(0)])], [said([square(90), square(0)], [0.9, 0.8])]
    alone = measured(detections, images, LogAverageMissRate(1))
    # 1 false positive in 1 image: missed up to 1; in 10 images: found from .1 on, which are five of nine references.
    assert alone == pytest.approx(100 * (1e-10) ** (1 / 9))
    more = measured(detections + [said([], [])] * 9, images + [there([])] * 9, LogAverageMissRate(1))
    assert more == pytest.approx(100 * (1e-10) ** (5 / 9))


def test_a_free_object_nearby_is_taken_where_the_nearest_is_not_free() -> None:
    objects = there([[0.0, 0, 10, 10], [2.0, 0, 12, 10]])
    detections = said([[0.0, 0, 10, 10], [0.5, 0, 10.5, 10]], [0.9, 0.8])
    assert measured([detections], [objects], LogAverageMissRate(1)) == pytest.approx(100 * 1e-10)


def test_ignored_regions_take_any_number_of_detections_by_their_own_area() -> None:
    crowd = there([[0.0, 0, 100, 100], [200.0, 0, 210, 10]], ignore=[True, False])
    inside = [square(5), square(30), square(60, 60), [95.0, 0, 105, 10]]  # the last one by half
    found = said([*inside, square(200)], [0.9, 0.8, 0.7, 0.6, 0.5])
    assert measured([found], [crowd], LogAverageMissRate(1)) == pytest.approx(100 * 1e-10)
    outside = said([[96.0, 0, 106, 10], square(200)], [0.6, 0.5])  # four tenths: a false positive
    assert measured([outside], [crowd], LogAverageMissRate(1)) == pytest.approx(100 * (1e-10) ** (1 / 9))


def test_an_object_goes_before_a_region() -> None:
    objects = there([square(0), [0.0, 0, 100, 100]], ignore=[False, True])
    assert measured([said([square(0)], [0.9])], [objects], LogAverageMissRate(1)) == pytest.approx(100 * 1e-10)


def test_the_reasonable_subset() -> None:
    """At least 50 pixels high and at least 65 % visible; the others are regions to be ignored."""
    boxes = [[0.0, 0, 20, 50], [50.0, 0, 70, 49], [100.0, 0, 130, 80], [150.0, 0, 180, 80]]
    objects = there(boxes, visible=[0.65, 1.0, 0.64, 1.0])
    metric = PEDESTRIANS(1)
    metric.update([said(boxes[:3], [0.7, 0.9, 0.8])], [objects])
    # Of two reasonable ones the first is found, and the second and third detections are no false positives.
    assert float(metric.compute()["MR"]) == pytest.approx(50.0)
    assert PEDESTRIANS(1).subset == REASONABLE and (REASONABLE.min_height, REASONABLE.min_visible) == (50, 0.65)
    seen_whole = [{name: value for name, value in objects.items() if name != "visible"}]
    assert measured([said(boxes[:3], [0.7, 0.9, 0.8])], seen_whole, PEDESTRIANS(1)) == pytest.approx(100 / 3)


def test_birds_of_15_pixels() -> None:
    objects = there([square(0, side=14), square(50, side=15), square(90, side=30)])
    assert measured([said([square(50, side=15)], [0.9])], [objects], BIRDS_9(1)) == pytest.approx(50.0)
    assert BIRDS_9(1).subset == BIRDS == BIRDS_17(1).subset


@pytest.mark.parametrize("seed", range(4))
def test_equals_the_slow_reference(seed: int) -> None:
    generator = torch.Generator().manual_seed(10 + seed)
    pairs = [noisy_image(generator, classes=2, ignored=0.3) for _ in range(12)]
    metric = LogAverageMissRate(2, high=1e2, points=17)
    metric.update(*map(list, zip(*pairs, strict=True)))
    for label in (1, 2):
        found = sorted((row for pair in pairs for row in slow_regions(*pair, label, 0.5)), reverse=True)
        total, logs = count([target for _, target in pairs], label), []
        for k in range(17):
            miss, wrong, right = 1.0, 0, 0
            for _, hit in found:
                wrong, right = wrong + (not hit), right + hit
                if wrong / len(pairs) <= 10 ** (-2 + k / 4) * (1 + 1e-9):
                    miss = 1 - right / total
            logs.append(math.log(max(miss, 1e-10)))
        assert float(metric.class_scores()["MR"][label - 1]) == pytest.approx(100 * math.exp(sum(logs) / 17), rel=1e-9)


def test_nothing_to_find_is_nan_and_nothing_found_is_everything_missed() -> None:
    assert math.isnan(measured([said([square(0)], [0.5])], [there([])], LogAverageMissRate(1)))
    assert measured([said([], [])], [there([square(0)])], LogAverageMissRate(1)) == 100.0


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"got low=1.0, high=0.01, points=9"):
        LogAverageMissRate(1, low=1.0, high=1e-2)
    with pytest.raises(ValueError, match="at least 2 between"):
        LogAverageMissRate(1, points=1)
    with pytest.raises(ValueError, match=r"IoU above 0 and at most 1, got 1\.5"):
        LogAverageMissRate(1, iou=1.5)
