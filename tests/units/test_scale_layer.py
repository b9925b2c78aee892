"""Scale layers: golden values, the paper's counts, refusals."""

import pytest
import torch

from taskweave.features import FeatureShape
from taskweave.networks.vgg.networks import CROSS_CONNECTED
from taskweave.units import CrossStitch, ScaleLayer

TWO = [FeatureShape.image(2, 1, 2)] * 2
CHANNELS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512)
"""Of conv1_1 ... conv4_3."""


def test_golden_values() -> None:
    """x_t + scale * x_s per channel, by hand."""
    unit = ScaleLayer(TWO)
    with torch.no_grad():
        unit.scale.copy_(torch.tensor([[[2.0, 3.0]], [[-1.0, 0.5]]]))
    a = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    b = torch.tensor([[[[10.0, 20.0]], [[30.0, 40.0]]]])
    for_a, for_b = unit([a, b])
    assert for_a.tolist() == [[[[21.0, 42.0]], [[93.0, 124.0]]]]
    assert for_b.tolist() == [[[[9.0, 18.0]], [[31.5, 42.0]]]]


def test_three_streams_scale_the_others_in_order() -> None:
    unit = ScaleLayer([FeatureShape.image(1, 1, 1)] * 3)
    with torch.no_grad():
        unit.scale.copy_(torch.tensor([[[2.0], [3.0]], [[5.0], [7.0]], [[11.0], [13.0]]]))
    x = [torch.full((1, 1, 1, 1), value) for value in (1.0, 10.0, 100.0)]
    assert [float(y) for y in unit(x)] == [1 + 20 + 300, 5 + 10 + 700, 11 + 130 + 100]


def test_counts_of_the_paper() -> None:
    assert len(CROSS_CONNECTED) == len(CHANNELS) == 10
    shapes = [[FeatureShape.image(c, 2, 2)] * 2 for c in CHANNELS]
    assert sum(p.numel() for s in shapes for p in ScaleLayer(s).parameters()) == 5_376
    assert sum(p.numel() for s in shapes for p in CrossStitch(s).parameters()) == 10_752


def test_it_is_the_cross_stitch_whose_own_weight_is_one() -> None:
    x = [torch.randn(2, 2, 1, 2), torch.randn(2, 2, 1, 2)]
    scales, stitch = ScaleLayer(TWO, other_weight=0.3), CrossStitch(TWO, self_weight=1.0, other_weight=0.3)
    for a, b in zip(scales(x), stitch(x), strict=True):
        torch.testing.assert_close(a, b)


def test_from_zero_the_scales_learn() -> None:
    unit = ScaleLayer(TWO, other_weight=0.0)
    x = [torch.ones(1, 2, 1, 2), torch.full((1, 2, 1, 2), 3.0)]
    unit(x)[0].sum().backward()
    assert unit.scale.grad is not None
    assert unit.scale.grad.tolist() == [[[6.0, 6.0]], [[0.0, 0.0]]]  # two places of 3


def test_another_number_of_channels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"this ScaleLayer has scales for 2 channels, got 5; .*its own unit"):
        ScaleLayer(TWO)([torch.ones(1, 5, 4, 4)] * 2)
