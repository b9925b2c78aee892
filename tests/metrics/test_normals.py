"""Metrics of surface normals against their definitions."""

import math
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings, strategies as st
from torch import Tensor

from taskweave.metrics import NormalAngles, normal_angles
from taskweave.metrics.normals import angle_sums


def slow_angles(prediction: np.ndarray, target: np.ndarray, raw: bool) -> np.ndarray:
    def unit(v: np.ndarray) -> np.ndarray:
        return v / np.linalg.norm(v, axis=1, keepdims=True)

    p, n = unit(prediction.astype(np.float64)), unit(target.astype(np.float64))
    if raw:
        p, n = unit((p + 1) * 127.5), unit((n + 1) * 127.5)
    # 2 arcsin(|p - n| / 2): another formula than the one tested, and exact for small angles.
    return np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(p - n, axis=1) / 2, 0, 1)))


def unit(*shape: int) -> Tensor:
    return F.normalize(torch.randn(*shape), dim=1)


def run(metric: NormalAngles, prediction: Tensor, target: Tensor) -> dict[str, float]:
    for p, t in zip(prediction, target, strict=True):
        metric.update(p[None], t[None])
    return {name: float(value) for name, value in metric.compute().items()}


def test_golden_angle() -> None:
    up, side = torch.tensor([[0.0, 0, 1]]), torch.tensor([[0.0, 1, 0]])
    assert float(normal_angles(up, side)) == 90.0
    assert float(normal_angles(up, side, raw_uint8=True)) == pytest.approx(33.557, abs=5e-4)
    assert float(normal_angles(up, -up, raw_uint8=True)) == pytest.approx(54.7356, abs=5e-4)
    assert float(normal_angles(up, -up)) == 180.0


def test_small_angles_are_exact() -> None:
    """arccos of a float32 dot product gives 0 or .02 degrees here."""
    tilt = math.radians(0.005)
    got = normal_angles(torch.tensor([[0.0, math.sin(tilt), math.cos(tilt)]]), torch.tensor([[0.0, 0, 1]]))
    assert float(got) == pytest.approx(0.005, rel=1e-5)


def test_length_does_not_matter_and_zero_predictions_are_half_way() -> None:
    p, n = unit(50, 3), unit(50, 3)
    assert torch.allclose(normal_angles(p * 7, n), normal_angles(p, n), rtol=1e-6)
    assert torch.allclose(normal_angles(p * 7, n, raw_uint8=True), normal_angles(p, n, raw_uint8=True), rtol=1e-6)
    assert normal_angles(p * 0, n).eq(90).all()


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4), st.booleans(), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_equals_the_slow_reference(seed: int, images: int, height: int, raw: bool, holes: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    prediction, target = (torch.randn(images, 3, height, 3, generator=generator) for _ in range(2))
    target = F.normalize(prediction + target, dim=1)
    target[(torch.rand(images, 1, height, 3, generator=generator) < holes).expand_as(target)] = 0
    got = run(NormalAngles(raw_uint8=raw), prediction, target)
    pixels = [value.movedim(1, -1).reshape(-1, 3).numpy() for value in (prediction, target)]
    known = np.linalg.norm(pixels[1], axis=1) > 0
    if not known.any():
        assert all(math.isnan(value) for value in got.values())
        return
    angles = slow_angles(pixels[0][known], pixels[1][known], raw)
    expected = {
        "mean": angles.mean(),
        "median": np.median(angles),
        "within_11.25": 100 * (angles < 11.25).mean(),
        "within_22.5": 100 * (angles < 22.5).mean(),
        "within_30": 100 * (angles < 30).mean(),
    }
    assert got == pytest.approx(expected, abs=1e-5)


def test_within_is_strict() -> None:
    sums = angle_sums(torch.tensor([11.25, 22.5, 30.0, 11.0]))
    assert sums.tolist() == [74.75, 1.0, 2.0, 3.0, 4.0]


def test_what_counts_as_a_hole() -> None:
    """Zero vectors, and what is left of (127, 127, 127) in 8 bits: length .0068."""
    target = torch.tensor([[0.0, 0, 1], [0, 0, 0], [-0.004, -0.004, -0.004]]).T.reshape(1, 3, 1, 3)
    prediction = torch.tensor([[0.0, 0, 1], [1, 0, 0], [1, 0, 0]]).T.reshape(1, 3, 1, 3)
    metric = NormalAngles()
    metric.update(prediction, target)
    assert float(metric.sums[-1]) == 1
    assert float(metric.compute()["mean"]) == 0.0
    assert float(metric.compute()["within_11.25"]) == 100.0


def test_the_median_is_of_the_set_and_not_of_batches() -> None:
    def tilted(*degrees: float) -> Tensor:
        radians = torch.tensor(degrees).deg2rad()
        return torch.stack([radians.sin(), torch.zeros_like(radians), radians.cos()])[None, :, None]

    metric = NormalAngles()
    for batch in ([1.0, 2, 3], [100.0], [50.0, 60]):
        prediction = tilted(*batch)
        metric.update(prediction, torch.zeros_like(prediction) + torch.tensor([0.0, 0, 1]).view(1, 3, 1, 1))
    assert float(metric.compute()["median"]) == pytest.approx((3 + 50) / 2, rel=1e-6)
    assert float(metric.compute()["mean"]) == pytest.approx(36.0, rel=1e-6)


def test_a_constant_answer_looks_far_better_in_raw_space() -> None:
    """The artefact of traps A.10: the same predictions, about half the error."""
    target = F.normalize(torch.randn(1, 3, 20, 20) + torch.tensor([0, 0, 1.0]).view(1, 3, 1, 1), dim=1)
    prediction = torch.zeros_like(target)
    prediction[:, 2] = 1
    true, raw = (run(NormalAngles(raw_uint8=flag), prediction, target)["mean"] for flag in (False, True))
    assert raw < 0.6 * true


def test_nothing_seen_is_nan() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert all(value.isnan() for value in NormalAngles().compute().values())


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"\(B, 3, H, W\), got \(1, 1, 2, 2\)"):
        NormalAngles().update(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2))
