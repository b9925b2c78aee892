"""Heads against plain convolutions with their weights."""

import pytest
import torch
import torch.nn.functional as F

from taskweave.features import FeatureShape
from taskweave.heads import ASPP, AsppV3, ConvReLU, FCN32s, LargeFOV, classifier


def test_conv_relu_is_a_convolution_and_a_relu() -> None:
    layer, x = ConvReLU(4, 6, kernel_size=3, dilation=2, groups=2), torch.randn(2, 4, 7, 9)
    expected = F.conv2d(x, layer.conv.weight, layer.conv.bias, padding=2, dilation=2, groups=2).clamp(min=0)
    assert torch.equal(layer(x), expected)
    assert expected.shape == (2, 6, 7, 9)


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 5, 6, 11])
def test_conv_relu_keeps_the_size(kernel_size: int) -> None:
    assert ConvReLU(2, 3, kernel_size=kernel_size)(torch.randn(1, 2, 5, 8)).shape == (1, 3, 5, 8)


def test_an_even_kernel_reaches_further_right() -> None:
    layer = ConvReLU(1, 1, kernel_size=6)
    torch.nn.init.ones_(layer.conv.weight)
    impulse = torch.zeros(1, 1, 1, 12)
    impulse[..., 6] = 1.0
    seen_by = layer(impulse)[0, 0, 0].nonzero().flatten().tolist()
    assert seen_by == [3, 4, 5, 6, 7, 8]  # cell i reads i - 2 ... i + 3


def test_batch_norm_takes_the_place_of_the_bias() -> None:
    layer = ConvReLU(2, 3, kernel_size=1, batch_norm=(0.05, 1e-3))
    assert layer.conv.bias is None
    assert layer.norm is not None and (layer.norm.momentum, layer.norm.eps) == (0.05, 1e-3)
    x = torch.randn(2, 2, 3, 3)
    y = F.conv2d(x, layer.conv.weight)
    mean, var = y.mean((0, 2, 3), keepdim=True), y.var((0, 2, 3), keepdim=True, unbiased=False)
    torch.testing.assert_close(layer.train()(x), ((y - mean) / (var + 1e-3).sqrt()).clamp(min=0))


def test_large_fov_counts_and_dilation() -> None:
    head = LargeFOV(FeatureShape.image(512), 40)
    assert sum(p.numel() for p in head.parameters()) == 512 * 1024 * 9 + 1024 + 1024 * 1024 + 1024 + 1024 * 40 + 40
    small = LargeFOV(FeatureShape.image(1), 2, hidden=1, rate=12)
    torch.nn.init.ones_(small.fc6[0].conv.weight)
    impulse = torch.zeros(1, 1, 30, 30)
    impulse[0, 0, 15, 15] = 1.0
    rows = small.fc6.eval()(impulse)[0, 0].nonzero()[:, 0].unique().tolist()
    assert rows == [3, 15, 27]


def test_aspp_is_the_sum_of_its_branches() -> None:
    head, x = ASPP(FeatureShape.image(4), 3, rates=(1, 2), hidden=5).eval(), torch.randn(1, 4, 6, 6)
    total = torch.zeros(1, 3, 6, 6)
    for i, rate in enumerate((1, 2)):
        six, seven, eight = head.fc6[i][0].conv, head.fc7[i][0].conv, head.fc8[i]
        hidden = F.conv2d(x, six.weight, six.bias, padding=rate, dilation=rate).relu()
        total += F.conv2d(F.conv2d(hidden, seven.weight, seven.bias).relu(), eight.weight, eight.bias)
    torch.testing.assert_close(head(x), total)


def test_aspp_without_hidden_layers_is_one_dilated_layer_per_rate() -> None:
    head, x = ASPP(FeatureShape.image(4), 3, rates=(2, 3), hidden=None).eval(), torch.randn(1, 4, 6, 6)
    expected = sum(
        F.conv2d(x, layer.weight, layer.bias, padding=rate, dilation=rate)
        for layer, rate in zip(head.fc8, (2, 3), strict=True)
    )
    torch.testing.assert_close(head(x), expected)
    assert sum(p.numel() for p in head.parameters()) == 2 * (4 * 3 * 9 + 3)


def test_aspp_v3_joins_local_and_picture_wide_features() -> None:
    head, x = AsppV3(FeatureShape.image(4), 2, rates=(2,), hidden=3, batch_norm=None), torch.randn(1, 4, 5, 6)
    one, three = head.pyramid.branches[0].conv, head.pyramid.branches[1].conv
    mean = F.conv2d(x.mean((2, 3), keepdim=True), head.pyramid.mean.conv.weight, head.pyramid.mean.conv.bias).relu()
    parts = [
        F.conv2d(x, one.weight, one.bias).relu(),
        F.conv2d(x, three.weight, three.bias, padding=2, dilation=2).relu(),
        mean.repeat(1, 1, 5, 6),
    ]
    expected = F.conv2d(torch.cat(parts, 1), head.pyramid.join.conv.weight, head.pyramid.join.conv.bias).relu()
    torch.testing.assert_close(head.pyramid(x), expected)
    torch.testing.assert_close(head(x), F.conv2d(expected, head.classifier.weight, head.classifier.bias))


def test_fcn32s_counts() -> None:
    with torch.device("meta"):
        head = FCN32s(FeatureShape.image(256), 21)
    assert sum(p.numel() for p in head.parameters()) == (256 * 36 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 21


def test_classifier_starts_small() -> None:
    layer = classifier(400, 50)
    assert layer.bias is not None and torch.equal(layer.bias, torch.zeros(50))
    assert abs(layer.weight.std().item() - 0.01) < 0.001


def test_rates_are_checked() -> None:
    with pytest.raises(ValueError, match=r"rates are dilations of 1 or more.*\(0,\)"):
        ASPP(FeatureShape.image(4), 3, rates=(0,))
    with pytest.raises(ValueError, match=r"at least one of them; got \(\)"):
        AsppV3(FeatureShape.image(4), 3, rates=())


@pytest.mark.parametrize(("stride", "v2", "v3"), [(8, (6, 12, 18, 24), (12, 24, 36)), (16, (3, 6, 9, 12), (6, 12, 18))])
def test_printed_rates_count_cells_of_stride_eight(stride: int, v2: tuple[int, ...], v3: tuple[int, ...]) -> None:
    shape = FeatureShape.image(2, stride=stride)
    assert tuple(layer.dilation[0] for layer in ASPP(shape, 2, hidden=None).fc8) == v2
    assert tuple(branch.conv.dilation[0] for branch in AsppV3(shape, 2, hidden=2).pyramid.branches[1:]) == v3
