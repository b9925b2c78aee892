"""What each image contributes: weights of ones are the metric itself, others the metric run on that list of images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from taskweave.metrics import SegmentationMetric
from taskweave.metrics.per_image_metric import PerImageMetric
from taskweave.metrics.per_image_segmentation import SegmentationImages
from taskweave.metrics.per_image_stored import restored, stored

IMAGES = 7
Image = tuple[Any, Any]


@dataclass(frozen=True)
class Case:
    """A metric, one image for it, and how close the two ways must be: {metric: absolute}, the others 1e-9 relative."""

    metric: Callable[[], PerImageMetric]
    image: Callable[[np.random.Generator, int], Image]
    resolution: float = 0.0


def segmented(rng: np.random.Generator, number: int) -> Image:
    """The first image has no label, and class 3 is in the last image only."""
    target = torch.from_numpy(rng.choice([0, 1, 2, 255], (1, 4, 5)))
    target = torch.full_like(target, 255) if number == 0 else target
    target[0, 0, 0] = 3 if number == IMAGES - 1 else target[0, 0, 0]
    return torch.from_numpy(rng.integers(0, 3, (1, 4, 5))), target


CASES = {
    "segmentation": Case(lambda: SegmentationMetric(5), segmented),
    "segmentation, all options": Case(
        lambda: SegmentationMetric(5, per_image=True, target_class=3, image_miou=True), segmented
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
        close = {"abs": case.resolution} if case.resolution and name == "median" else {"rel": 1e-9, "abs": 1e-12}
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
    arrays = stored(images)
    assert all(array.dtype.kind in "iufbU" for array in arrays.values()), "anything else would be pickled"
    weights = np.random.default_rng(3).integers(0, 3, (4, IMAGES))
    back = restored(arrays)
    assert type(back) is type(images)
    for name, values in images.scores(weights).items():
        np.testing.assert_array_equal(back.scores(weights)[name], values)


def test_weights_that_do_not_fit_are_refused() -> None:
    images = SegmentationImages(*np.ones((3, 4, 2), int))
    for weights in (np.ones((1, 3)), np.ones(4), np.full((1, 4), 0.5), np.full((1, 4), -1)):
        with pytest.raises(ValueError, match="weights are"):
            images.scores(weights)


def test_arrays_that_do_not_fit_are_refused() -> None:
    arrays = stored(SegmentationImages(*np.ones((3, 4, 2), int)))
    with pytest.raises(ValueError, match="one row per image"):
        restored({**arrays, "right": np.ones((5, 2), int)})
    with pytest.raises(ValueError, match="predicted"):
        restored({name: array for name, array in arrays.items() if name != "predicted"})
    with pytest.raises(ValueError, match="'depht' are none of"):
        restored({**arrays, "kind": np.asarray("depht")})
