"""NDDR layers: golden values, orders, starts, counts, adaptation, refusals."""

import pytest
import torch
from torch.nn import functional as F

from taskweave.features import FeatureShape
from taskweave.units import NDDR

C = 3
TWO = [FeatureShape.image(C, 4, 4)] * 2
EYE = torch.eye(C)


def weight(unit: NDDR, target: int) -> torch.Tensor:
    return unit.convolutions[target].weight.detach()[:, :, 0, 0]


def test_golden_values_of_the_bare_convolution() -> None:
    """traps H: y1 = .9 f1 + .1 f2, y2 = .1 f1 + .9 f2; W (C, K C, 1, 1), own block a I, others b I."""
    unit = NDDR(TWO, order="none")
    assert unit.convolutions[0].weight.shape == (C, 2 * C, 1, 1)
    torch.testing.assert_close(weight(unit, 0), torch.cat([0.9 * EYE, 0.1 * EYE], 1))
    torch.testing.assert_close(weight(unit, 1), torch.cat([0.1 * EYE, 0.9 * EYE], 1))
    f1, f2 = torch.randn(2, C, 4, 4), torch.randn(2, C, 4, 4)
    y1, y2 = unit([f1, f2])
    torch.testing.assert_close(y1, 0.9 * f1 + 0.1 * f2)
    torch.testing.assert_close(y2, 0.1 * f1 + 0.9 * f2)


def test_three_streams_share_what_is_left_or_get_what_is_told() -> None:
    three = [TWO[0]] * 3
    torch.testing.assert_close(weight(NDDR(three), 1), torch.cat([0.05 * EYE, 0.9 * EYE, 0.05 * EYE], 1))
    told = NDDR(three, self_weight=0.8, other_weight=0.05)
    torch.testing.assert_close(weight(told, 2), torch.cat([0.05 * EYE, 0.05 * EYE, 0.8 * EYE], 1))


def standardised(x: torch.Tensor, eps: float) -> torch.Tensor:
    mean, var = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, unbiased=False)
    return (x - mean) / (var + eps).sqrt()


def test_authors_order_is_convolution_batch_norm_relu() -> None:
    unit = NDDR(TWO).double().train()
    f1, f2 = torch.randn(2, 2, C, 4, 4, dtype=torch.float64)
    y1, _ = unit([f1, f2])
    a, b = 0.9, 1 - 0.9
    torch.testing.assert_close(y1, F.relu(standardised(a * f1 + b * f2, 1e-3)), rtol=1e-6, atol=1e-6)
    norm = unit.norms[0]
    assert (norm.momentum, norm.eps) == (0.05, 1e-3)
    assert all(convolution.bias is None for convolution in unit.convolutions)


def test_papers_order_is_batch_norm_of_the_input_then_convolution() -> None:
    unit = NDDR(TWO, order="paper").double().train()
    f1, f2 = torch.randn(2, 2, C, 4, 4, dtype=torch.float64) * 3 + 1
    y1, _ = unit([f1, f2])
    expected = 0.9 * standardised(f1, 1e-5) + (1 - 0.9) * standardised(f2, 1e-5)
    torch.testing.assert_close(y1, expected, rtol=1e-6, atol=1e-6)
    assert (y1 < 0).any()


VGG = [64, 128, 256, 512, 512]


def counted(channels, streams, **options) -> int:
    with torch.device("meta"):
        units = [NDDR([FeatureShape.image(c, 1, 1)] * streams, **options) for c in channels]
    return sum(p.numel() for unit in units for p in unit.parameters())


@pytest.mark.parametrize(
    ("channels", "streams", "options", "numbers"),
    [
        (VGG, 2, {"order": "none"}, 2_441_216),
        (VGG, 3, {"order": "none"}, 5_492_736),
        (VGG, 2, {"order": "authors"}, 2_447_104),
        (VGG, 2, {"order": "paper"}, 2_447_104),
        ([64, 256, 512, 1024, 2048], 2, {"order": "none"}, 22_298_624),  # ResNet-101
    ],
)
def test_counts(channels, streams, options, numbers) -> None:
    assert counted(channels, streams, **options) == numbers


def test_weights_in_the_convolutions_do_not_depend_on_the_order() -> None:
    with torch.device("meta"):
        units = [NDDR([FeatureShape.image(c, 1, 1)] * 2) for c in VGG]
    assert sum(convolution.weight.numel() for unit in units for convolution in unit.convolutions) == 2_441_216


def test_unequal_channels_lay_the_other_diagonal_as_far_as_both_reach() -> None:
    unit = NDDR([FeatureShape.image(2, 4, 4), FeatureShape.image(3, 4, 4)], order="none", self_weight=0.75)
    assert weight(unit, 0).tolist() == [[0.75, 0, 0.25, 0, 0], [0, 0.75, 0, 0.25, 0]]
    assert weight(unit, 1).tolist() == [[0.25, 0, 0.75, 0, 0], [0, 0.25, 0, 0.75, 0], [0, 0, 0, 0, 0.75]]


def test_unequal_sizes_are_resized_to_the_destinations() -> None:
    unit = NDDR([FeatureShape.image(1, 1, 2), FeatureShape.image(1, 1, 4)], order="none", self_weight=0.0, other_weight=1.0)
    small, large = torch.tensor([[[[0.0, 4.0]]]]), torch.tensor([[[[1.0, 3.0, 5.0, 7.0]]]])
    for_small, for_large = unit([small, large])
    # bilinear without aligned corners: halving averages neighbours, doubling puts samples at quarters
    assert for_small.flatten().tolist() == [2.0, 6.0]
    assert for_large.flatten().tolist() == [0.0, 1.0, 3.0, 4.0]


def test_xavier_start_is_within_its_bounds_and_not_diagonal() -> None:
    unit = NDDR([FeatureShape.image(16, 4, 4)] * 2, initial="xavier", order="none")
    bound = (6 / (32 + 16)) ** 0.5
    w = weight(unit, 0)
    assert w.abs().max() <= bound
    assert w.std() == pytest.approx(bound / 3**0.5, rel=0.1)
    assert not unit.exact_start


def test_learning_rate_and_decay_are_the_methods_own() -> None:
    assert NDDR.sgd_lr_multiplier == 100
    assert NDDR.decays


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": "post"}, "order is 'authors', 'paper' or 'none', got 'post'"),
        ({"initial": "he"}, "starts 'diagonal' or 'xavier', got 'he'"),
    ],
)
def test_unknown_words_are_refused(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        NDDR(TWO, **options)
