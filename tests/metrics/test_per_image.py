"""What each image contributes: weights of ones are the metric itself, others the metric run on that list of images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import isabstract, isclass
from typing import Any

import numpy as np
import pytest
import torch
from metrics.boxes_by_hand import noisy_image
from torch import Tensor
from torchmetrics import Metric

from taskweave import metrics
from taskweave.metrics import (
    AbsoluteError,
    Accuracy,
    AttributeAveragePrecision,
    AttributesOnDetections,
    AveragePrecision,
    BoxOverlap,
    CocoAveragePrecision,
    DepthErrors,
    JoinedMetric,
    LogAverageMissRate,
    NormalAngles,
    SegmentationScores,
)
from taskweave.metrics.metric import PerImageMetric, restored
from taskweave.metrics.normals import RESOLUTION
from taskweave.metrics.segmentation import SegmentationImages

IMAGES = 7
Image = tuple[Any, Any]


@dataclass(frozen=True)
class Case:
    """A metric, one image for it, and how close the two ways must be.

    resolution: of medians, absolute.  relative: of everything else; torchmetrics rounds COCO's numbers to float32.
    """

    metric: Callable[[], PerImageMetric]
    image: Callable[[np.random.Generator, int], Image]
    resolution: float = 0.0
    relative: float = 1e-9


def segmented(rng: np.random.Generator, number: int) -> Image:
    """The first image has no label, and class 3 is in the last image only."""
    target = torch.from_numpy(rng.choice([0, 1, 2, 255], (1, 4, 5)))
    target = torch.full_like(target, 255) if number == 0 else target
    target[0, 0, 0] = 3 if number == IMAGES - 1 else target[0, 0, 0]
    return torch.from_numpy(rng.integers(0, 3, (1, 4, 5))), target


def deep(rng: np.random.Generator, number: int) -> Image:
    """The first image is a hole as a whole."""
    metres = torch.from_numpy(rng.uniform(0.5, 9, (1, 1, 4, 5)))
    holes = torch.from_numpy(rng.random((1, 1, 4, 5)) < (2 if number == 0 else 0.2))
    return torch.from_numpy(rng.uniform(0.5, 9, (1, 1, 4, 5))), torch.where(holes, 0.0, metres)


def normal(rng: np.random.Generator, number: int) -> Image:
    """The first image is a hole as a whole."""
    vectors = torch.nn.functional.normalize(torch.from_numpy(rng.normal(size=(1, 3, 40, 5))), dim=1)
    said = vectors + 0.3 * torch.from_numpy(rng.normal(size=vectors.shape))
    return said, vectors * (number > 0) * torch.from_numpy(rng.random((1, 1, 40, 5)) > 0.2)


def class_told(rng: np.random.Generator, number: int) -> Image:
    return torch.from_numpy(rng.integers(0, 3, 1)), torch.from_numpy(rng.integers(0, 3, 1))


def age(rng: np.random.Generator, number: int) -> Image:
    return torch.from_numpy(rng.normal(40, 9, 1)), torch.from_numpy(rng.integers(20, 60, 1))


def box(rng: np.random.Generator, number: int) -> Image:
    sides = torch.from_numpy(rng.uniform(0, 5, (2, 1, 1, 4)))
    return torch.cat([sides[0][..., :2], sides[0][..., :2] + 3], -1), torch.cat(
        [sides[1][..., :2], sides[1][..., 2:] + 5], -1
    )


def attributes_of_boxes(rng: np.random.Generator, number: int) -> Image:
    """The second image has no box; scores are coarse, so that many are equal; attribute 3 is in the last image only."""
    count = 0 if number == 1 else int(rng.integers(1, 4))
    boxes = torch.arange(count)[:, None] * 30.0 + torch.tensor([0.0, 0, 10, 10])
    values = torch.from_numpy(rng.choice([0, 1, np.nan], (count, 3))).float()
    values[:, 2] = float(number == IMAGES - 1)
    scores = torch.from_numpy(rng.integers(0, 5, (count, 3)) / 5).float()
    return [{"boxes": boxes, "scores": scores}], [{"boxes": boxes, "values": values}]


def detected(rng: np.random.Generator, number: int) -> Image:
    said, there = noisy_image(torch.Generator().manual_seed(int(rng.integers(1 << 30))), classes=3)
    return [said], [there]


def coarse(rng: np.random.Generator, number: int) -> Image:
    """Detections of which many have equal scores."""
    (said,), there = detected(rng, number)
    return [{**said, "scores": (said["scores"] * 4).round() / 4}], there


def precisions() -> JoinedMetric:
    eleven = AveragePrecision(4, interpolation="11-point", iou=0.7, min_height=20.0, name="AP 11")
    return JoinedMetric([AveragePrecision(4), eleven])


def misses() -> JoinedMetric:
    return JoinedMetric(
        [LogAverageMissRate(4), LogAverageMissRate(4, high=100.0, points=17, min_height=18.0, name="MR 17")]
    )


def detected_with_values(rng: np.random.Generator, number: int) -> Image:
    """As `detected`, of which the targets say attributes."""
    said, (there,) = detected(rng, number)
    values = torch.from_numpy(rng.choice([0, 1, np.nan], (len(there["boxes"]), 4))).float()
    return said, [{"boxes": there["boxes"], "values": values}]


CASES = {
    "attributes": Case(lambda: AttributeAveragePrecision(3), attributes_of_boxes),
    "attributes, 11 points": Case(lambda: AttributeAveragePrecision(3, interpolation="11-point"), attributes_of_boxes),
    "attributes on detections": Case(lambda: AttributesOnDetections(4), detected_with_values),
    "average precision": Case(precisions, detected),
    "average precision, equal scores": Case(precisions, coarse),
    "miss rate": Case(misses, detected),
    "miss rate, equal scores": Case(misses, coarse),
    "COCO": Case(lambda: CocoAveragePrecision(4), detected, relative=1e-6),
    "COCO, few detections": Case(lambda: CocoAveragePrecision(4, detections=3), detected, relative=1e-6),
    "depth": Case(DepthErrors, deep),
    "normals": Case(NormalAngles, normal, resolution=RESOLUTION),
    "normals in 8 bits": Case(lambda: NormalAngles(raw_uint8=True), normal, resolution=RESOLUTION),
    "accuracy": Case(lambda: Accuracy(4), class_told),
    "absolute error": Case(AbsoluteError, age),
    "box IoU": Case(BoxOverlap, box),
    "segmentation": Case(lambda: SegmentationScores(5), segmented),
    "segmentation, all options": Case(
        lambda: SegmentationScores(5, per_image=True, target_class="class 3", image_miou=True), segmented
    ),
}


def images_of(case: Case, seed: int = 0) -> list[Image]:
    rng = np.random.default_rng(seed)
    return [case.image(rng, number) for number in range(IMAGES)]


def batch(pairs: Sequence[Image]) -> Image:
    sides = list(zip(*pairs, strict=True))
    return tuple(torch.cat(side) if isinstance(side[0], Tensor) else [x for one in side for x in one] for side in sides)  # type: ignore[return-value]


def seen(case: Case, images: Sequence[Image], *, size: int = 3) -> PerImageMetric:
    metric = case.metric()
    for start in range(0, len(images), size):
        metric.update(*batch(images[start : start + size]))
    return metric


def computed(case: Case, images: Sequence[Image]) -> dict[str, float]:
    return {name: float(value) for name, value in seen(case, images).compute().items()}


def agree(case: Case, found: dict[str, float], expected: dict[str, float]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        close = {"abs": case.resolution} if case.resolution and name == "median" else {"rel": case.relative, "abs": 1e-12}
        assert found[name] == pytest.approx(value, nan_ok=True, **close), name


def row(scores: dict[str, np.ndarray], index: int) -> dict[str, float]:
    return {name: float(values[index]) for name, values in scores.items()}


every_metric = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@every_metric
@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_weights_of_ones_are_the_metric_itself(case: Case) -> None:
    for seed in range(3):
        images = images_of(case, seed)
        found = seen(case, images).per_image()
        assert found.count == IMAGES
        agree(case, row(found.scores(np.ones((1, IMAGES), int)), 0), computed(case, images))


@every_metric
@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_other_weights_are_the_metric_on_that_list_of_images(case: Case) -> None:
    images = images_of(case)
    draws = np.random.default_rng(1).integers(0, IMAGES, (8, IMAGES))
    weights = np.stack([np.bincount(draw, minlength=IMAGES) for draw in draws])
    assert (weights == 0).any() and (weights > 1).any()
    scores = seen(case, images).per_image().scores(weights)
    for index, draw in enumerate(draws):
        agree(case, row(scores, index), computed(case, [images[i] for i in sorted(draw)]))


@every_metric
def test_nothing_drawn_is_undefined(case: Case) -> None:
    scores = seen(case, images_of(case)).per_image().scores(np.zeros((2, IMAGES), int))
    assert all(np.isnan(values).all() and values.shape == (2,) for values in scores.values())


@every_metric
def test_batches_do_not_matter(case: Case) -> None:
    images = images_of(case)
    weights = np.random.default_rng(2).integers(0, 3, (4, IMAGES))
    one, all_together = (seen(case, images, size=size).per_image().scores(weights) for size in (1, IMAGES))
    for name, values in one.items():
        np.testing.assert_allclose(values, all_together[name], rtol=1e-12)


@every_metric
def test_the_way_back_from_stored_arrays(case: Case) -> None:
    images = seen(case, images_of(case)).per_image()
    arrays = images.stored()
    assert all(array.dtype.kind in "iufbU" for array in arrays.values()), "anything else would be pickled"
    weights = np.random.default_rng(3).integers(0, 3, (4, IMAGES))
    back = restored(arrays)
    assert type(back) is type(images)
    for name, values in images.scores(weights).items():
        np.testing.assert_array_equal(back.scores(weights)[name], values)


def test_no_metric_is_left_out() -> None:
    made = [case.metric() for case in CASES.values()]
    there = {type(one) for metric in made for one in (metric, *getattr(metric, "parts", ()))}
    named = [getattr(metrics, name) for name in metrics.__all__]
    assert there == {one for one in named if isclass(one) and issubclass(one, Metric) and not isabstract(one)}


def test_coco_by_class_has_the_mean_of_the_set() -> None:
    metric = seen(CASES["COCO"], images_of(CASES["COCO"]))
    by_class, of_set = metric.class_scores(), metric.compute()
    assert by_class.keys() == of_set.keys() == {"AP", "AP50", "AP75"}
    for name, values in by_class.items():
        assert values.shape == (4,) and values[3].isnan()  # no object is of class 4
        assert float(values.nanmean()) == pytest.approx(float(of_set[name]), rel=1e-6)


def test_weights_that_do_not_fit_are_refused() -> None:
    images = SegmentationImages(*np.ones((3, 4, 2), int))
    for weights in (np.ones((1, 3)), np.ones(4), np.full((1, 4), 0.5), np.full((1, 4), -1)):
        with pytest.raises(ValueError, match="weights are"):
            images.scores(weights)


def test_arrays_that_do_not_fit_are_refused() -> None:
    arrays = SegmentationImages(*np.ones((3, 4, 2), int)).stored()
    with pytest.raises(ValueError, match="one row per image"):
        restored({**arrays, "right": np.ones((5, 2), int)})
    with pytest.raises(ValueError, match="predicted"):
        restored({name: array for name, array in arrays.items() if name != "predicted"})
    with pytest.raises(ValueError, match="'depht' are none of"):
        restored({**arrays, "kind": np.asarray("depht")})
