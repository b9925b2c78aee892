"""Units that gather one stream's stages: sluice's layer mixing and NDDR's shortcut."""

import pytest
import torch
from torch.nn import functional as F

from taskweave.features import FeatureShape
from taskweave.units import LayerMixing, Shortcut

SMALL_LAST = [FeatureShape.image(1, 1, 4), FeatureShape.image(1, 1, 2)]
FIRST, LAST = torch.tensor([[[[1.0, 3.0, 5.0, 7.0]]]]), torch.tensor([[[[10.0, 20.0]]]])  # first, halved: 2, 6


def test_layer_mixing_golden_values() -> None:
    unit = LayerMixing(SMALL_LAST, last_weight=0.75)
    (out,) = unit([FIRST, LAST])
    assert out.flatten().tolist() == [0.25 * 2 + 0.75 * 10, 0.25 * 6 + 0.75 * 20]


def test_layer_mixing_starts_as_the_authors() -> None:
    unit = LayerMixing([FeatureShape.image(4, 2, 2)] * 5)
    torch.testing.assert_close(unit.beta.detach(), torch.tensor([0.025] * 4 + [0.9]))


def test_layer_mixing_needs_two_stages() -> None:
    with pytest.raises(ValueError, match="LayerMixing needs at least 2 features"):
        LayerMixing(SMALL_LAST[:1])


def test_layer_mixing_projects_when_told() -> None:
    shapes = [FeatureShape.image(3, 4, 4), FeatureShape.image(2, 2, 2)]
    with pytest.raises(ValueError, match=r"equal channels.*\[3, 2\]; use project=True"):
        LayerMixing(shapes)
    unit = LayerMixing(shapes, project=True)
    x = [torch.randn(2, 3, 4, 4), torch.randn(2, 2, 2, 2)]
    carried = torch.einsum("ts,bshw->bthw", unit.projections[0].weight[:, :, 0, 0], x[0])
    expected = 0.9 * x[1] + 0.1 * F.avg_pool2d(carried, 2)  # bilinear halving averages 2 x 2
    torch.testing.assert_close(unit(x)[0], expected)


@pytest.mark.parametrize(("normalise", "numbers"), [(True, 753_664 + 2 * 512), (False, 754_176)])
def test_shortcut_counts_of_vgg16(normalise: bool, numbers: int) -> None:
    unit = Shortcut([FeatureShape.image(c, 1, 1) for c in (64, 128, 256, 512, 512)], normalise=normalise)
    assert unit.convolution.weight.numel() == 753_664
    assert sum(p.numel() for p in unit.parameters()) == numbers


@pytest.mark.parametrize("normalise", [True, False])
def test_shortcut_golden_values(normalise: bool) -> None:
    unit = Shortcut(SMALL_LAST, channels=2, normalise=normalise).eval()
    with torch.no_grad():
        unit.convolution.weight.copy_(torch.tensor([[1.0, 2.0], [-1.0, 0.0]])[:, :, None, None])
    (out,) = unit([FIRST, LAST])
    expected = torch.tensor([[[22.0, 46.0]], [[-2.0, -6.0]]])
    if normalise:  # fresh batch norm in eval mode, then ReLU
        expected = F.relu(expected / (1 + 1e-3) ** 0.5)
    torch.testing.assert_close(out[0], expected)


def test_shortcut_takes_a_single_stage_and_refuses_no_channels() -> None:
    assert len(Shortcut(SMALL_LAST[:1], channels=3)([FIRST])) == 1
    with pytest.raises(ValueError, match="channels=0"):
        Shortcut(SMALL_LAST, channels=0)
