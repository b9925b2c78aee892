"""Normals by classification: the codebook, its targets and its soft read-out."""

import json
import math
import sys

import pytest
import torch
import torch.nn.functional as F

from taskweave.tasks import NormalsByCodebook, fit_codebook

AXES = torch.eye(3)


def test_the_loss_is_cross_entropy_with_the_nearest_direction() -> None:
    logits = torch.randn(1, 3, 1, 3)
    target = torch.tensor([[0.1, 0.9, -0.4], [0.6, 0.5, 0.6], [0, 0, 0]]).T.reshape(1, 3, 1, 3)
    target = F.normalize(target, dim=1)
    task = NormalsByCodebook(codebook=[*AXES[[2, 1]].tolist(), [3.0, 0, 0]])  # z, y, x; lengths do not matter
    # Pixel 0 is nearest to y = code 1; pixel 1 to z = code 0 (x and z tie, the first counts); pixel 2 is a hole.
    assert task.nearest(target).tolist() == [[[1, 0, 255]]]
    expected = -(logits.log_softmax(1)[0, 1, 0, 0] + logits.log_softmax(1)[0, 0, 0, 1]) / 2
    assert float(task.loss(logits, target)) == pytest.approx(float(expected), rel=1e-6)


def test_soft_read_out() -> None:
    task = NormalsByCodebook(codebook=AXES)
    shares = torch.tensor([0.6, 0.3, 0.1])
    got = task.soft(shares.log().view(1, 3, 1, 1), (2, 2))[0, :, 0, 0]
    assert got.tolist() == pytest.approx((shares / shares.norm()).tolist(), abs=1e-6)


def test_between_directions() -> None:
    """A read-out of two directions at even odds lies in the middle: no multiple of 20 answers."""
    task = NormalsByCodebook(codebook=AXES)
    got = task.decode(torch.tensor([4.0, 4.0, -20]).view(1, 3, 1, 1), (1, 1)).flatten()
    assert got.tolist() == pytest.approx([0.5**0.5, 0.5**0.5, 0], abs=1e-6)


def test_fitting_finds_the_clusters() -> None:
    centres = F.normalize(torch.tensor([[0.0, 0, 1], [1, 0, 0.2], [-1, 0, 0.2], [0, 1, 0.1], [0, -1, 0.3]]), dim=1)
    noisy = F.normalize(centres.repeat(60, 1) + 0.05 * torch.randn(300, 3), dim=1)
    holes = torch.zeros(40, 3)
    found = fit_codebook(torch.cat([noisy, holes]), 5, seed=1)
    assert found.dtype == torch.float32 and found.shape == (5, 3)
    assert torch.allclose(found.norm(dim=1), torch.ones(5))
    degrees = torch.rad2deg(torch.acos((centres @ found.T).clamp(-1, 1))).min(1).values
    assert degrees.max() < 2.0
    assert torch.equal(found, fit_codebook(torch.cat([noisy, holes]), 5, seed=1))


def test_twenty_directions_cover_a_room_well() -> None:
    """Every normal that faces the camera is within 30 degrees of one of 20 directions, most within 20."""
    normals = F.normalize(torch.randn(2000, 3), dim=1)
    normals[:, 2].abs_()
    task = NormalsByCodebook(codebook=fit_codebook(normals))
    assert task.channels == 20
    nearest = (normals @ task.codebook.T).max(1).values.clamp(max=1).acos().rad2deg()
    assert nearest.max() < 33 and nearest.median() < 17


def test_the_codebook_goes_through_json() -> None:
    task = NormalsByCodebook(codebook=fit_codebook(F.normalize(torch.randn(100, 3), dim=1), 6))
    again = NormalsByCodebook(codebook=json.loads(json.dumps(task.codebook.tolist())))
    assert torch.allclose(again.codebook, task.codebook, atol=1e-7)


def test_manhattan_is_an_option_here_too() -> None:
    tilt = math.radians(3)
    logits = torch.full((1, 2, 8, 8), -30.0)
    logits[:, 0] = 30
    codes = [[0.0, 0, 1], [math.sin(tilt), 0, math.cos(tilt)]]
    logits[:, :, 0, 0] = torch.tensor([-30.0, 30])
    plain, aligned = (NormalsByCodebook(codebook=codes, manhattan=flag).decode(logits, (8, 8)) for flag in (False, True))
    assert (plain[0, :, 0, 0] * plain[0, :, 4, 4]).sum() < 0.9999
    assert torch.allclose(aligned[0, :, 0, 0], aligned[0, :, 4, 4])


def test_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"codebook must be \(K, 3\) with 2 <= K < 255, got \(4, 2\)"):
        NormalsByCodebook(codebook=torch.ones(4, 2))
    with pytest.raises(ValueError, match="a zero or undefined direction"):
        NormalsByCodebook(codebook=[[0.0, 0, 1], [0, 0, 0]])
    with pytest.raises(ValueError, match=r"normals \(N, 3\), got \(1, 3, 4, 4\)"):
        fit_codebook(torch.ones(1, 3, 4, 4))
    with pytest.raises(ValueError, match="at least 20 labelled normals for 20 directions, got 5"):
        fit_codebook(torch.cat([torch.ones(5, 3), torch.zeros(50, 3)]))
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(ImportError, match=r"pip install taskweave\[data\]"):
        fit_codebook(torch.ones(50, 3))
