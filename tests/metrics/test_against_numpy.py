"""The metrics of dense tasks, in their functional form, against slow NumPy written from the definitions: 1,000 cases each.

Cases are small and odd on purpose: few pixels, ties, holes, absent classes, zero, parallel and opposite vectors.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings, strategies as st

from taskweave.metrics import class_iou, confusion_matrix, depth_scores, depth_sums, exact_median, segmentation_scores
from taskweave.metrics.normals import THRESHOLDS, angle_scores, angle_sums, labelled_angles

pytestmark = pytest.mark.slow
thousand = settings(max_examples=1000, deadline=None, database=None)
shapes = st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 4))
IGNORE = 255


def bytes_of(draw, shape):
    """uint8 of a shape, in one draw: quicker than one draw a number, and they shrink as well."""
    count = math.prod(shape)
    return np.frombuffer(draw(st.binary(min_size=count, max_size=count)), np.uint8).reshape(shape)


def close(found, expected):
    return np.allclose(
        np.asarray(found, dtype=float), np.asarray(expected, dtype=float), rtol=1e-9, atol=1e-9, equal_nan=True
    )


# Segmentation: Long et al. (2015), section 5


@st.composite
def labelled(draw):
    shape, classes = draw(shapes), draw(st.integers(2, 5))
    guesses = bytes_of(draw, shape).astype(np.int64) % classes
    stored = bytes_of(draw, shape).astype(np.int64) % (classes + 1)  # the last stands for no label
    return classes, guesses, np.where(stored == classes, IGNORE, stored)


def counted(prediction, target, classes):
    """n[i, j]: pixels of class i predicted as j, one after the other."""
    counts = np.zeros((classes, classes), dtype=int)
    for place in np.ndindex(target.shape):
        if target[place] != IGNORE:
            counts[target[place], prediction[place]] += 1
    return counts


def scores_of(counts):
    """mIoU, pixacc, fwIU in percent and the IU of each class, NaN for one that is neither labelled nor predicted."""
    labelled_pixels = counts.sum()
    iou = []
    for i in range(len(counts)):
        union = counts[i].sum() + counts[:, i].sum() - counts[i, i]
        iou.append(100 * counts[i, i] / union if union else math.nan)
    there = [value for value in iou if not math.isnan(value)]
    if not labelled_pixels:
        return [math.nan] * 3, iou
    correct = sum(counts[i, i] for i in range(len(counts)))
    weighted = sum(counts[i].sum() * iou[i] for i in range(len(counts)) if counts[i].sum()) / labelled_pixels
    return [sum(there) / len(there), 100 * correct / labelled_pixels, weighted], iou


@thousand
@given(labelled())
def test_segmentation(case):
    classes, prediction, target = case
    found = confusion_matrix(torch.from_numpy(prediction), torch.from_numpy(target), classes=classes, ignore=IGNORE)
    each = [counted(p, t, classes) for p, t in zip(prediction, target, strict=True)]
    assert found.tolist() == [counts.tolist() for counts in each]
    for matrix, counts in ((found.sum(0), sum(each)), *zip(found, each, strict=True)):
        scores, iou = scores_of(counts)
        assert close(segmentation_scores(matrix), scores)
        assert close(class_iou(matrix), iou)


# Depth: means over all labelled pixels


@st.composite
def depths(draw):
    batch, height, width = draw(shapes)
    codes = bytes_of(draw, (2, batch, 1, height, width)).astype(np.float32)
    prediction, target = codes[0] / 10 - 5, codes[1] ** 2 / 650 + 2**-10
    holes = np.array([0, -1, math.inf, math.nan], np.float32)
    return prediction, np.where(codes[1] < 64, holes[codes[1].astype(int) % 4], target)


@thousand
@given(depths())
def test_depth(case):
    prediction, target = case
    absolute, relative, square, count = 0.0, 0.0, 0.0, 0
    for place in np.ndindex(target.shape):
        truth, guess = float(target[place]), float(prediction[place])
        if truth > 0 and math.isfinite(truth):
            absolute += abs(guess - truth)
            relative += abs(guess - truth) / truth
            square += (guess - truth) ** 2
            count += 1
    sums = depth_sums(torch.from_numpy(prediction), torch.from_numpy(target))
    assert close(sums, [absolute, relative, square, count])
    scores = depth_scores(sums)
    means = [absolute / count, relative / count, math.sqrt(square / count)] if count else [math.nan] * 3
    assert close([float(scores[name]) for name in ("abs", "rel", "rmse")], means)


# Normals: angles between unit vectors


@st.composite
def normals(draw):
    """Whole-number vectors, which are often equal, opposite or at right angles, or any; targets of length 1 or holes."""
    batch, height, width = draw(shapes)
    codes = bytes_of(draw, (2, batch, 3, height, width)).astype(np.float32)
    raw, whole = draw(st.booleans()), draw(st.booleans())
    prediction, target = codes % 5 - 2 if whole else codes / 127.5 - 1
    length = np.linalg.norm(target.astype(float), axis=1, keepdims=True)
    target = np.where(length > 0.5, target / np.maximum(length, 0.5), target).astype(np.float32)
    target *= np.abs(length - 0.5) > 1e-6  # whether .5 itself is a hole is up to rounding
    if raw:  # a prediction without a direction has no defined code
        prediction[:, 0] += np.abs(prediction).max(1) < 1e-3
    return raw, prediction, target


def angle(prediction, target, *, raw):
    """Degrees, by the cosine where it is exact and by the chord where it is not."""
    if not prediction.any():
        return 90.0
    p, n = (v.astype(float) / np.linalg.norm(v.astype(float)) for v in (prediction, target))
    if raw:
        p, n = ((v + 1) * 127.5 / np.linalg.norm((v + 1) * 127.5) for v in (p, n))
    cosine = float(p @ n)
    if cosine > 0.9:
        return math.degrees(2 * math.asin(min(1.0, np.linalg.norm(p - n) / 2)))
    if cosine < -0.9:
        return 180 - math.degrees(2 * math.asin(min(1.0, np.linalg.norm(p + n) / 2)))
    return math.degrees(math.acos(cosine))


@thousand
@given(normals())
def test_normals(case):
    raw, prediction, target = case
    pairs = [
        (prediction[b, :, y, x], target[b, :, y, x])
        for b, y, x in np.ndindex(target.shape[0], *target.shape[2:])
        if np.linalg.norm(target[b, :, y, x].astype(float)) >= 0.5
    ]
    angles = [angle(p, t, raw=raw) for p, t in pairs]
    assume(all(abs(a - limit) > 1e-4 for a in angles for limit in THRESHOLDS))
    found = labelled_angles(torch.from_numpy(prediction), torch.from_numpy(target), raw_uint8=raw)
    assert np.allclose(found.numpy(), angles, atol=2e-5)
    scores = {name: float(value) for name, value in angle_scores(angle_sums(found), exact_median([found])).items()}
    if not angles:
        assert all(math.isnan(value) for value in scores.values())
        return
    ordered, middle = sorted(angles), len(angles) // 2
    median = ordered[middle] if len(angles) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    within = {f"within_{limit:g}": 100 * sum(a < limit for a in angles) / len(angles) for limit in THRESHOLDS}
    assert scores == pytest.approx({"mean": sum(angles) / len(angles), "median": median, **within}, abs=2e-5)
