"""Segmentation metrics against their definitions, sklearn and torchmetrics."""

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor

from taskweave.metrics import SegmentationScores, class_iou, confusion_matrix, segmentation_scores

CLASSES = 4


def slow_scores(prediction: np.ndarray, target: np.ndarray, ignore: int = 255) -> tuple[list[float], list[float]]:
    """[mIoU, pixacc, fwIU] and the IU of each class in percent, by counting sets of pixels."""
    valid = target != ignore
    truth, guess = target[valid], prediction[valid]
    if not truth.size:
        return [math.nan] * 3, [math.nan] * CLASSES
    iou = []
    for c in range(CLASSES):
        union = ((truth == c) | (guess == c)).sum()
        iou.append(100 * ((truth == c) & (guess == c)).sum() / union if union else math.nan)
    weighted = sum((truth == c).sum() * iou[c] for c in range(CLASSES) if (truth == c).any()) / truth.size
    there = [value for value in iou if not math.isnan(value)]
    return [sum(there) / len(there), 100 * (truth == guess).mean(), weighted], iou


@st.composite
def labelled_images(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = (draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    classes = st.integers(0, CLASSES - 1)
    prediction = draw(hnp.arrays(np.int64, shape, elements=classes))
    return prediction, draw(hnp.arrays(np.int64, shape, elements=classes | st.just(255)))


def run(metric: SegmentationScores, prediction: np.ndarray | Tensor, target: np.ndarray | Tensor) -> list[float]:
    for image, label in zip(torch.as_tensor(prediction), torch.as_tensor(target), strict=True):
        metric.update(image[None], label[None])
    return [float(value) for value in metric.compute().values()]


def matrix_as_pixels(counts: list[list[int]]) -> tuple[Tensor, Tensor]:
    cells = [(i, j) for i, row in enumerate(counts) for j, n in enumerate(row) for _ in range(n)]
    truth, guess = zip(*cells, strict=True)
    return torch.tensor([[guess]]), torch.tensor([[truth]])


def test_the_vector_of_the_definitions() -> None:
    metric = SegmentationScores(2)
    metric.update(*matrix_as_pixels([[3, 1], [2, 4]]))
    assert metric.counts.tolist() == [[3, 1], [2, 4]]
    scores = metric.compute()
    # IU: 3 / (4 + 5 - 3) and 4 / (6 + 5 - 4); pixacc 7 / 10; fwIU .4 * 1/2 + .6 * 4/7.
    assert list(scores) == ["mIoU", "pixacc", "fwIU"]
    assert float(scores["pixacc"]) == pytest.approx(70.0)
    assert float(scores["mIoU"]) == pytest.approx(53.5714285714)
    assert float(scores["fwIU"]) == pytest.approx(54.2857142857)
    assert metric.per_class().tolist() == pytest.approx([50.0, 400 / 7])
    assert metric.absent == 0


@given(labelled_images())
@settings(max_examples=60, deadline=None)
def test_equals_the_slow_reference(images: tuple[np.ndarray, np.ndarray]) -> None:
    prediction, target = images
    expected, iou = slow_scores(prediction, target)
    metric = SegmentationScores(CLASSES)
    assert run(metric, prediction, target) == pytest.approx(expected, nan_ok=True)
    assert metric.per_class().tolist() == pytest.approx(iou, nan_ok=True)
    assert metric.absent == sum(map(math.isnan, iou))


@given(labelled_images())
@settings(max_examples=60, deadline=None)
def test_per_image_is_the_mean_of_images(images: tuple[np.ndarray, np.ndarray]) -> None:
    prediction, target = images
    each = [slow_scores(p, t)[0] for p, t in zip(prediction, target, strict=True)]
    labelled = [scores for scores in each if not math.isnan(scores[1])]
    expected = np.mean(labelled, axis=0).tolist() if labelled else [math.nan] * 3
    assert run(SegmentationScores(CLASSES, per_image=True), prediction, target) == pytest.approx(expected, nan_ok=True)


@given(labelled_images(), st.integers(0, CLASSES - 1))
@settings(max_examples=40, deadline=None)
def test_ignored_pixels_change_nothing(images: tuple[np.ndarray, np.ndarray], guess: int) -> None:
    prediction, target = images
    other = np.where(target == 255, guess, prediction)
    assert run(SegmentationScores(CLASSES), other, target) == pytest.approx(
        run(SegmentationScores(CLASSES), prediction, target), nan_ok=True
    )


def test_absent_classes() -> None:
    """Class 2 is predicted but never labelled: IU 0, counted. Class 3 is neither: left out, and said so."""
    metric = SegmentationScores(CLASSES)
    metric.update(torch.tensor([[[0, 1, 2, 3]]]), torch.tensor([[[0, 1, 1, 255]]]))
    assert metric.per_class().tolist() == pytest.approx([100.0, 50.0, 0.0, math.nan], nan_ok=True)
    assert float(metric.compute()["mIoU"]) == pytest.approx(50.0)
    assert metric.absent == 1


def test_the_set_and_the_images_differ() -> None:
    prediction, target = torch.tensor([[[0, 0, 0, 0]], [[0, 0, 0, 1]]]), torch.tensor([[[0, 0, 0, 0]], [[0, 0, 1, 1]]])
    # Set: IU_0 = 6/7, IU_1 = 1/2. Images: 1 (class 1 absent), and (2/3 + 1/2) / 2.
    assert run(SegmentationScores(2), prediction, target)[0] == pytest.approx(100 * (6 / 7 + 1 / 2) / 2)
    assert run(SegmentationScores(2, per_image=True), prediction, target)[0] == pytest.approx(100 * (1 + 7 / 12) / 2)


def test_image_miou_counts_an_absent_class_as_0() -> None:
    """The Pet code's number beside the usual one, with three pictures in uneven batches, one without any label."""
    prediction = torch.tensor([[[0, 0, 0, 0]], [[0, 0, 0, 1]], [[1, 1, 1, 1]]])
    target = torch.tensor([[[0, 0, 0, 0]], [[0, 0, 1, 1]], [[255, 255, 255, 255]]])
    metric = SegmentationScores(2, image_miou=True)
    for part in (slice(0, 1), slice(1, 3)):
        metric.update(prediction[part], target[part])
    scores = {name: float(value) for name, value in metric.compute().items()}
    assert list(scores) == ["mIoU", "pixacc", "fwIU", "image mIoU"]
    # Image 1: IU_0 = 1, IU_1 = 0/0 -> 0. Image 2: 2/3 and 1/2. Over the set: 6/7 and 1/2. Image 3 has no label.
    assert scores["image mIoU"] == pytest.approx(100 * (1 / 2 + 7 / 12) / 2)
    assert scores["mIoU"] == pytest.approx(100 * (6 / 7 + 1 / 2) / 2)
    per_image = SegmentationScores(2, per_image=True, image_miou=True)
    per_image.update(prediction, target)
    assert float(per_image.compute()["mIoU"]) == pytest.approx(100 * (1 + 7 / 12) / 2)


def test_equals_sklearn_and_torchmetrics_where_the_definitions_meet() -> None:
    from sklearn.metrics import accuracy_score, jaccard_score
    from torchmetrics.classification import MulticlassJaccardIndex

    prediction, target = torch.randint(0, CLASSES, (3, 8, 8)), torch.randint(0, CLASSES, (3, 8, 8))
    target[torch.rand(3, 8, 8) < 0.2] = 255
    truth, guess = target[target != 255], prediction[target != 255]
    miou, pixacc, fwiu = run(SegmentationScores(CLASSES), prediction, target)
    assert miou == pytest.approx(100 * jaccard_score(truth, guess, average="macro"))
    assert fwiu == pytest.approx(100 * jaccard_score(truth, guess, average="weighted"))
    assert pixacc == pytest.approx(100 * accuracy_score(truth, guess))
    theirs = MulticlassJaccardIndex(CLASSES, average="none", ignore_index=255)
    metric = SegmentationScores(CLASSES)
    run(metric, prediction, target)
    assert (metric.per_class() / 100).tolist() == pytest.approx(theirs(prediction, target).tolist(), abs=1e-6)


def test_the_functions_take_many_matrices() -> None:
    each = confusion_matrix(torch.tensor([[[0, 1]], [[1, 1]]]), torch.tensor([[[0, 0]], [[1, 0]]]), classes=2, ignore=255)
    assert each.tolist() == [[[1, 1], [0, 0]], [[0, 1], [0, 1]]]
    assert class_iou(each).tolist() == [[50.0, 0.0], [0.0, 50.0]]
    assert segmentation_scores(each)[:, 1].tolist() == [50.0, 50.0]


def test_nothing_seen_is_nan() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert all(value.isnan() for value in SegmentationScores(2).compute().values())
        assert all(value.isnan() for value in SegmentationScores(2, per_image=True).compute().values())


def test_bad_input() -> None:
    metric = SegmentationScores(3)
    good = torch.zeros(1, 2, 2, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"label 7 is outside the 3 classes \(0\.\.2\)"):
        metric.update(good, good + 7)
    with pytest.raises(ValueError, match="predicted class 3 is outside the 3 classes"):
        metric.update(good + 3, good)
    with pytest.raises(ValueError, match=r"got \(1, 2, 2\) and \(1, 4, 4\); decode"):
        metric.update(good, torch.zeros(1, 4, 4, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"\(B, H, W\)"):
        metric.update(good[:, None], good[:, None])
    assert metric.counts.sum() == 0
