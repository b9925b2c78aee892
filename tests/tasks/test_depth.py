"""Depth: its loss by hand, its holes, resolutions and pictures."""

import pytest
import torch
import torch.nn.functional as F
from tasks.ensembles import mean_prediction

from taskweave.tasks import Depth, Labels


def test_the_default_loss_is_l1_over_valid_pixels() -> None:
    output, target = torch.tensor([1.0, 3, 9, 5]).view(1, 1, 2, 2), torch.tensor([2.0, 2, 0, 7]).view(1, 1, 2, 2)
    assert float(Depth().loss(output, target)) == pytest.approx((1 + 1 + 2) / 3)
    # Averaged over the labelled pixels of the batch, not over images.
    both = torch.cat([output, output]), torch.cat([target, torch.tensor([6.0, 0, 0, 0]).view(1, 1, 2, 2)])
    assert float(Depth().loss(*both)) == pytest.approx((1 + 1 + 2 + 5) / 4)


def test_other_losses() -> None:
    output, target = torch.tensor([1.0, 9]).view(1, 1, 1, 2), torch.tensor([1.5, 6]).view(1, 1, 1, 2)
    assert float(Depth(loss="l2").loss(output, target)) == pytest.approx((0.25 + 9) / 2)
    assert float(Depth(loss="huber").loss(output, target)) == pytest.approx((0.125 + 2.5) / 2)
    with pytest.raises(ValueError, match=r"one of \['l1', 'l2', 'huber'\], got 'l3'"):
        Depth(loss="l3")


def test_undefined_depth_is_a_hole() -> None:
    target = torch.tensor([2.0, torch.nan, torch.inf, -1]).view(1, 1, 2, 2)
    assert float(Depth().loss(torch.full((1, 1, 2, 2), 5.0), target)) == 3.0


def test_resolutions() -> None:
    output, target = torch.rand(1, 1, 2, 2), torch.rand(1, 1, 16, 16) + 1
    target[0, 0, 8, 8] = 0
    coarse = (output - target[..., ::8, ::8]).abs().flatten()[:3].mean()
    assert float(Depth(loss_resolution="eighth").loss(output, target)) == pytest.approx(float(coarse))
    large = F.interpolate(output, size=(16, 16), mode="bilinear", align_corners=False)
    fine = ((large - target).abs().sum() - large[0, 0, 8, 8]) / 255
    assert float(Depth().loss(output, target)) == pytest.approx(float(fine), rel=1e-5)


def test_a_loss_of_ones_own_sees_valid_pixels_only() -> None:
    seen = []

    class Mine(Depth):
        def pixel_loss(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            seen.append((prediction, target))
            return (prediction - target).square().mean()

    target = torch.tensor([2.0, 0, 0, 4]).view(1, 1, 2, 2)
    loss = Mine().loss(torch.ones(1, 1, 2, 2).bfloat16(), target)
    assert float(loss) == 5.0
    assert seen[0][0].tolist() == [1, 1] and seen[0][1].tolist() == [2, 4]
    assert seen[0][0].dtype == seen[0][1].dtype == torch.float32


def test_undefined_outputs_in_holes_give_no_gradient() -> None:
    output = torch.tensor([1.0, torch.nan]).view(1, 1, 1, 2).requires_grad_()
    Depth().loss(output, torch.tensor([2.0, 0]).view(1, 1, 1, 2)).backward()
    assert output.grad is not None and output.grad.flatten().tolist() == [-1, 0]


def test_ensembles_average_metres() -> None:
    members = [torch.full((1, 1, 2, 2), metres) for metres in (1.0, 2.0, 6.0)]
    assert torch.equal(mean_prediction(Depth(), members, (4, 4)), torch.full((1, 1, 4, 4), 3.0))


def test_pictures() -> None:
    picture = Depth(Labels(far=8.0)).picture(torch.tensor([0.0, 1e-6, 4, 8, 80]).view(1, 1, 5))
    assert picture[:, 0].T.tolist() == [[0, 0, 0], [68, 1, 84], [33, 145, 140], [253, 231, 37], [253, 231, 37]]
    with pytest.raises(ValueError, match=r"draws metres \(1, H, W\), got \(2, 2\)"):
        Depth().picture(torch.ones(2, 2))


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="far is a depth"):
        Depth(Labels(far=0))
    with pytest.raises(ValueError, match=r"target \(2, 1, H, W\) for its output \(2, 1, 2, 2\), got \(2, 2, 2\); give"):
        Depth().loss(torch.ones(2, 1, 2, 2), torch.ones(2, 2, 2))
