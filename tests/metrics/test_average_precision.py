"""VOC average precision: curves made by hand, the rules of matching, a slow reference, torchmetrics where they meet."""

import math

import pytest
import torch
from metrics.boxes_by_hand import count, noisy_image, said, slow_voc, square, there
from torch import Tensor

from taskweave.metrics import AveragePrecision, Interpolation, JoinedMetric, Subset, curve_average_precision


def measured(predictions: list[dict[str, Tensor]], targets: list[dict[str, Tensor]], metric: AveragePrecision) -> float:
    metric.update(predictions, targets)
    return float(metric.compute()["mAP"])


def curve(*points: tuple[float, float]) -> tuple[Tensor, Tensor]:
    recall, precision = zip(*points, strict=True)
    return torch.tensor(recall, dtype=torch.float64), torch.tensor(precision, dtype=torch.float64)


@pytest.mark.parametrize(
    ("points", "eleven", "area"),
    [
        # Right away: precision 1 at every recall.
        ([(0.5, 1.0), (1.0, 1.0)], 1.0, 1.0),
        # Recall ends at .4: thresholds 0, .1, .2, .3, .4 have precision 1, the other six none.
        ([(0.2, 1.0), (0.4, 1.0)], 5 / 11, 0.4),
        # First wrong, then right, then right: precision 0, 1/2, 2/3, made 2/3 everywhere.
        ([(0.0, 0.0), (0.5, 0.5), (1.0, 2 / 3)], 2 / 3, 2 / 3),
        # Right, wrong, right: 1 up to .5 (six thresholds), 2/3 from there to 1 (five).
        ([(0.5, 1.0), (0.5, 0.5), (1.0, 2 / 3)], (6 + 5 * 2 / 3) / 11, 0.5 * 1 + 0.5 * 2 / 3),
        # One of four found: recall .25 reaches 0, .1 and .2.
        ([(0.25, 1.0)], 3 / 11, 0.25),
        # Three of ten: 3 / 10 reaches the threshold .3 exactly.
        ([(1 / 10, 1.0), (2 / 10, 1.0), (3 / 10, 1.0)], 4 / 11, 0.3),
        # Only wrong ones.
        ([(0.0, 0.0)], 0.0, 0.0),
    ],
)
def test_curves_made_by_hand(points: list[tuple[float, float]], eleven: float, area: float) -> None:
    assert float(curve_average_precision(*curve(*points), "11-point")) == pytest.approx(eleven, rel=1e-12)
    assert float(curve_average_precision(*curve(*points), "area")) == pytest.approx(area, rel=1e-12)


def test_no_detections_are_0() -> None:
    empty = torch.empty(0)
    assert (
        float(curve_average_precision(empty, empty, "area"))
        == 0.0
        == float(curve_average_precision(empty, empty, "11-point"))
    )


def test_a_repetition_is_wrong_and_a_difficult_object_does_not_count() -> None:
    objects = there([square(0), square(50), square(100)], ignore=[False, True, False])
    # By score: found, found again (wrong), the difficult one (neither), nothing there (wrong), found.
    detections = said([square(0), square(1), square(50), square(200), square(100)], [0.9, 0.8, 0.7, 0.6, 0.5])
    # Of two objects: recall 1/2, 1/2, 1/2, 1 at precision 1, 1/2, 1/3, 2/4.
    assert measured([detections], [objects], AveragePrecision(1)) == pytest.approx(100 * (0.5 * 1 + 0.5 * 0.5))
    assert measured([detections], [objects], AveragePrecision(1, interpolation="11-point")) == pytest.approx(
        100 * (6 * 1 + 5 * 0.5) / 11
    )


def test_a_detection_goes_to_the_object_it_overlaps_most_though_taken() -> None:
    """As VOC's code does: it is wrong even if another object is near enough. Dollár's rule would give it the other."""
    objects = there([[0.0, 0, 10, 10], [2.0, 0, 12, 10]])
    detections = said([[0.0, 0, 10, 10], [0.5, 0, 10.5, 10]], [0.9, 0.8])
    assert measured([detections], [objects], AveragePrecision(1)) == pytest.approx(50.0)


def test_the_threshold_itself_is_a_match() -> None:
    objects, detections = there([[0.0, 0, 10, 10]]), said([[0.0, 0, 10, 5]], [0.9])
    assert measured([detections], [objects], AveragePrecision(1, iou=0.5)) == 100.0
    assert measured([detections], [objects], AveragePrecision(1, iou=0.51)) == 0.0


def test_inclusive_boxes_of_voc_become_exclusive_edges() -> None:
    """1-based inclusive 1..10 and 1..5 have 10 and 5 pixels: IoU .5 in VOC's arithmetic, and here with x1 - 1, y1 - 1."""
    objects, detections = there([[0.0, 0, 10, 1]]), said([[0.0, 0, 5, 1]], [0.9])
    assert measured([detections], [objects], AveragePrecision(1)) == 100.0


def test_other_classes_and_other_images_do_not_match() -> None:
    objects = there([square(0), square(50)], labels=[1, 2])
    detections = said([square(0), square(50)], [0.9, 0.8], labels=[2, 1])
    assert measured([detections], [objects], AveragePrecision(2)) == 0.0
    assert measured([said([square(0)], [0.9]), said([], [])], [there([]), there([square(0)])], AveragePrecision(1)) == 0.0


def test_classes_without_objects_are_left_out() -> None:
    objects = there([square(0), square(50), square(90)], labels=[1, 1, 3], ignore=[False, False, True])
    metric = AveragePrecision(["cat", "dog", "cow"])
    metric.update([said([square(0), square(70), square(90)], [0.9, 0.8, 0.7], labels=[1, 2, 3])], [objects])
    each = metric.class_scores()["mAP"]
    assert each[0] == pytest.approx(50.0) and each[1:].isnan().all()
    assert float(metric.compute()["mAP"]) == pytest.approx(50.0)
    assert metric.counts_per_class().tolist() == [2, 0, 0]
    assert [(c.name, c.x, c.y, c.x_axis, c.y_axis) for c in metric.curves()] == [
        ("cat", (0.5,), (1.0,), "recall", "precision")
    ]


def test_nothing_to_find_is_nan_and_nothing_found_is_0() -> None:
    assert math.isnan(measured([said([square(0)], [0.5])], [there([])], AveragePrecision(1)))
    assert measured([said([], [])], [there([square(0)])], AveragePrecision(1)) == 0.0


def test_equal_scores_are_one_point() -> None:
    """One right and one wrong of equal score: precision 1/2 at recall 1, whichever comes first."""
    for boxes in ([square(0), square(50)], [square(50), square(0)]):
        assert measured([said(boxes, [0.7, 0.7])], [there([square(0)])], AveragePrecision(1)) == pytest.approx(50.0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("least", [0.3, 0.5, 0.75])
def test_equals_the_slow_reference(seed: int, least: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    pairs = [noisy_image(generator, classes=2) for _ in range(12)]
    targets = [target for _, target in pairs]
    metric = JoinedMetric(
        [AveragePrecision(2, interpolation="11-point", iou=least, name="eleven"), AveragePrecision(2, iou=least)]
    )
    metric.update(*map(list, zip(*pairs, strict=True)))
    each = metric.class_scores()
    for label in (1, 2):
        found = sorted((row for pair in pairs for row in slow_voc(*pair, label, least)), reverse=True)
        total = count(targets, label)
        right = [sum(r for _, r in found[: i + 1]) for i in range(len(found))]
        best = [max(right[j] / (j + 1) for j in range(i, len(found))) for i in range(len(found))]
        area = sum(best[i] / total for i in range(len(found)) if found[i][1])
        eleven = (
            sum(max((b for r, b in zip(right, best, strict=True) if 10 * r >= t * total), default=0) for t in range(11))
            / 11
        )
        assert float(each["mAP"][label - 1]) == pytest.approx(100 * area, rel=1e-9)
        assert float(each["eleven"][label - 1]) == pytest.approx(100 * eleven, rel=1e-9)


def apart(generator: torch.Generator, total: int) -> tuple[list[dict[str, Tensor]], list[dict[str, Tensor]]]:
    """Objects far apart, each found at most once, and false detections: here all rules of matching agree."""
    corners = torch.stack(torch.meshgrid(100.0 * torch.arange(5), 100.0 * torch.arange(4), indexing="ij"), -1).view(-1, 2)
    boxes = torch.cat([corners, corners + 40], 1)[:total]
    near = boxes + 5 * torch.randn(total, 4, generator=generator)
    kept = torch.rand(total, generator=generator) < 0.8
    false = boxes + 50
    detections = torch.cat([near[kept], false])
    scores = torch.rand(len(detections), generator=generator)
    labels = torch.ones(len(detections), dtype=torch.int64)
    return [{"boxes": detections, "scores": scores, "labels": labels}], [
        {"boxes": boxes, "labels": labels[:1].expand(total)}
    ]


@pytest.mark.parametrize(("interpolation", "total"), [("11-point", 20), ("11-point", 7), ("area", 20), ("area", 7)])
def test_equals_torchmetrics_where_the_definitions_meet(interpolation: Interpolation, total: int) -> None:
    """COCO's mean over recalls r of the highest precision at recall >= r: at 0, .1, ..., 1 it is VOC 2007's; at k / n for n
    objects, the only recalls there are, it is the area."""
    from torchmetrics.detection import MeanAveragePrecision

    recalls = [k / 10 for k in range(11)] if interpolation == "11-point" else [k / total for k in range(1, total + 1)]
    for seed in range(3):
        pairs = apart(torch.Generator().manual_seed(seed), total)
        theirs = MeanAveragePrecision(iou_thresholds=[0.5], rec_thresholds=recalls, backend="faster_coco_eval")
        theirs.update(*pairs)
        ours = measured(*pairs, AveragePrecision(1, interpolation=interpolation))
        assert 5 < ours < 95
        assert ours == pytest.approx(100 * float(theirs.compute()["map"]), abs=1e-4)


def test_a_subset_ignores_the_others() -> None:
    objects = there([square(0, side=40), square(100, side=60)])
    # The low object found first is neither; a detection below 50 / 1.25 = 40 does not count, one of 40 does.
    detections = said([square(0, side=40), square(300, side=39), square(100, side=60)], [0.9, 0.8, 0.7])
    assert measured([detections], [objects], AveragePrecision(1, min_height=50)) == 100.0
    detections["boxes"][1] = torch.tensor(square(300, side=40))
    assert measured([detections], [objects], AveragePrecision(1, min_height=50)) == 50.0


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"interpolation is .11-point.*got '12-point'"):
        AveragePrecision(1, interpolation="12-point")
    with pytest.raises(ValueError, match="IoU above 0 and at most 1, got 0"):
        AveragePrecision(1, iou=0)
    with pytest.raises(ValueError, match=r"got Subset\(min_height=0.0, min_visible=65, slack=1.25\)"):
        Subset(min_visible=65)
