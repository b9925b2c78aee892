"""Normals: losses, E13, holes, ensembles and pictures."""

import pytest
import torch
import torch.nn.functional as F
from tasks.ensembles import mean_prediction

from taskweave.tasks import Normals, cosine_loss, l2_loss


class Summed(Normals):
    """With a loss of its own."""

    def pixel_loss(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (prediction - target).abs().sum()


def unit(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return F.normalize(torch.randn(*shape, dtype=dtype), dim=1)


def test_e13_l2_is_twice_cosine() -> None:
    p, n = unit(1000, 3, dtype=torch.float64), unit(1000, 3, dtype=torch.float64)
    assert float((l2_loss(p, n) - 2 * cosine_loss(p, n)).abs()) <= 1e-15
    output, target = torch.randn(2, 3, 4, 4, dtype=torch.float64), unit(2, 3, 4, 4, dtype=torch.float64)
    losses = [Normals(loss=kind).loss(output, target) for kind in ("l2", "cosine")]
    assert float((losses[0] - 2 * losses[1]).abs()) <= 1e-15


def test_by_hand() -> None:
    output = torch.tensor([[0.0, 0, 5], [0, 3, 0], [1, 1, 1]]).T.reshape(1, 3, 1, 3)
    target = torch.tensor([[0.0, 0, 1], [0, 0, 1], [0, 0, 0]]).T.reshape(1, 3, 1, 3)
    assert float(Normals().loss(output, target)) == pytest.approx(0.5)
    assert float(Normals(loss="l2").loss(output, target)) == pytest.approx(1.0)
    assert float(Summed().loss(output, target)) == pytest.approx(2.0)


def test_short_targets_are_holes_and_others_are_normalised() -> None:
    output = torch.tensor([[0.0, 0, 1], [0, 1, 0]]).T.reshape(1, 3, 1, 2)
    target = torch.tensor([[0.0, 0, 0.6], [0, 0, 0.49]]).T.reshape(1, 3, 1, 2)
    assert float(Normals().loss(output, target)) == 0.0


def test_resolutions() -> None:
    output, target = torch.randn(1, 3, 2, 2), unit(1, 3, 16, 16)
    coarse = 1 - F.cosine_similarity(output, target[..., ::8, ::8]).mean()
    assert float(Normals(loss_resolution="eighth").loss(output, target)) == pytest.approx(float(coarse), rel=1e-5)
    large = F.interpolate(output, size=(16, 16), mode="bilinear", align_corners=False)
    fine = 1 - F.cosine_similarity(large, target).mean()
    assert float(Normals().loss(output, target)) == pytest.approx(float(fine), rel=1e-5)


def test_predictions_are_unit_vectors() -> None:
    task = Normals()
    prediction = task.decode(torch.randn(2, 3, 3, 3), (7, 9))
    assert torch.allclose(prediction.norm(dim=1), torch.ones(2, 7, 9))


def test_ensembles_average_unit_normals_and_renormalise() -> None:
    """Members count alike whatever the length of their outputs."""
    right, up = (torch.tensor(v).view(1, 3, 1, 1) for v in ([50.0, 0, 0], [0, 0.5, 0]))
    mean = mean_prediction(Normals(), [right, up], (1, 1))
    assert mean.flatten().tolist() == pytest.approx([0.5**0.5, 0.5**0.5, 0], abs=1e-6)


def test_small_outputs_have_bounded_gradients() -> None:
    output = (1e-9 * torch.randn(1, 3, 2, 2)).requires_grad_()
    Normals().loss(output, unit(1, 3, 2, 2)).backward()
    assert output.grad is not None and output.grad.abs().max() <= 1000


def test_raw_mode_changes_the_metric_only() -> None:
    output, target = torch.randn(1, 3, 4, 4), unit(1, 3, 4, 4)
    true, raw = Normals(), Normals(angles="raw_uint8")
    assert torch.equal(true.loss(output, target), raw.loss(output, target))
    assert torch.equal(true.decode(output, (4, 4)), raw.decode(output, (4, 4)))
    assert not true.metric().raw_uint8 and raw.metric().raw_uint8


def test_pictures() -> None:
    value = torch.tensor([[0.0, 0, 1], [-1, 0, 0], [0, 0, 0]]).T.reshape(3, 1, 3)
    assert Normals().picture(value)[:, 0].T.tolist() == [[128, 128, 255], [0, 128, 128], [0, 0, 0]]
    with pytest.raises(ValueError, match=r"drawn from \(3, H, W\), got \(1, 3, 2, 2\)"):
        Normals().picture(torch.ones(1, 3, 2, 2))


def test_bad_input() -> None:
    with pytest.raises(ValueError, match='is "cosine" or "l2", got \'l1\''):
        Normals(loss="l1")
