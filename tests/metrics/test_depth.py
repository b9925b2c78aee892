"""Depth metrics against their definitions, sklearn and torchmetrics."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from taskweave.metrics import DepthErrors, depth_scores, depth_sums


@st.composite
def depths(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = (draw(st.integers(1, 4)), 1, draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    prediction = draw(hnp.arrays(np.float32, shape, elements=st.floats(0, 20, width=32)))
    metres = st.floats(0.125, 20, width=32) | st.just(0.0)
    return prediction, draw(hnp.arrays(np.float32, shape, elements=metres))


def run(prediction: np.ndarray | torch.Tensor, target: np.ndarray | torch.Tensor) -> list[float]:
    metric = DepthErrors()
    for p, t in zip(torch.as_tensor(prediction), torch.as_tensor(target), strict=True):
        metric.update(p[None], t[None])
    return [float(value) for value in metric.compute().values()]


def slow(prediction: np.ndarray, target: np.ndarray) -> list[float]:
    pairs = [(float(p), float(g)) for p, g in zip(prediction.ravel(), target.ravel(), strict=True) if g > 0]
    if not pairs:
        return [math.nan] * 3
    n = len(pairs)
    return [
        sum(abs(p - g) for p, g in pairs) / n,
        sum(abs(p - g) / g for p, g in pairs) / n,
        math.sqrt(sum((p - g) ** 2 for p, g in pairs) / n),
    ]


@given(depths())
@settings(max_examples=60, deadline=None)
def test_equals_the_slow_reference(images: tuple[np.ndarray, np.ndarray]) -> None:
    assert run(*images) == pytest.approx(slow(*images), rel=1e-9, nan_ok=True)


def test_by_hand() -> None:
    prediction, target = torch.tensor([1.0, 3, 9, 5]), torch.tensor([2.0, 2, 0, 4])
    metric = DepthErrors()
    metric.update(prediction.view(1, 1, 2, 2), target.view(1, 1, 2, 2))
    scores = metric.compute()
    assert list(scores) == ["abs", "rel", "rmse"]
    assert [float(value) for value in scores.values()] == pytest.approx([1.0, (0.5 + 0.5 + 0.25) / 3, 1.0])


def test_pixels_and_not_images_are_averaged() -> None:
    """One pixel off by 4 in one image, three right in the other: 1 metre, not 2."""
    prediction, target = torch.full((2, 1, 1, 3), 5.0), torch.full((2, 1, 1, 3), 5.0)
    target[0] = torch.tensor([1.0, 0, 0])
    assert run(prediction, target) == pytest.approx([4 / 4, 4 / 4, 2.0])


def test_an_image_of_holes_contributes_nothing() -> None:
    prediction, target = torch.rand(2, 1, 3, 3), torch.rand(2, 1, 3, 3) + 1
    alone = run(prediction[:1], target[:1])
    target[1] = 0
    assert run(prediction, target) == alone
    prediction[1] = math.nan
    assert run(prediction, target) == alone
    assert all(math.isnan(value) for value in run(prediction[1:], target[1:]))


def test_equals_sklearn_and_torchmetrics() -> None:
    from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error, root_mean_squared_error
    from torchmetrics.regression import MeanAbsoluteError

    prediction, target = torch.rand(3, 1, 8, 8) * 9, torch.rand(3, 1, 8, 8) * 9 + 0.5
    p, g = prediction.flatten().double(), target.flatten().double()
    expected = [f(g, p) for f in (mean_absolute_error, mean_absolute_percentage_error, root_mean_squared_error)]
    assert run(prediction, target) == pytest.approx(expected)
    assert run(prediction, target)[0] == pytest.approx(float(MeanAbsoluteError()(p.float(), g.float())), rel=1e-5)


def test_sums_and_scores_are_a_pair() -> None:
    prediction, target = torch.rand(4, 1, 3, 3), torch.rand(4, 1, 3, 3) + 0.1
    halves = depth_sums(prediction[:2], target[:2]) + depth_sums(prediction[2:], target[2:])
    assert [float(v) for v in depth_scores(halves).values()] == pytest.approx(run(prediction, target))
    assert depth_sums(prediction, target)[3] == 36


def test_a_million_pixels_keep_their_precision() -> None:
    """float32 sums would not: 4 million errors of .1."""
    target = torch.ones(1, 1, 2000, 2000)
    metric = DepthErrors()
    metric.update(target + 0.125, target)
    assert float(metric.compute()["abs"]) == 0.125


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"\(B, 1, H, W\), got \(1, 3, 2, 2\) and \(1, 3, 2, 2\)"):
        DepthErrors().update(torch.ones(1, 3, 2, 2), torch.ones(1, 3, 2, 2))
    with pytest.raises(ValueError, match="decode"):
        DepthErrors().update(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 4, 4))
