"""Soft attention against its formula, written out location by location."""

from functools import partial

import pytest
import torch
from torch import Tensor

import taskweave as tw
from taskweave.features import FeatureShape
from taskweave.units import Attention

B, H, W = 2, 3, 4


def neighbours(x: Tensor, kernel: int) -> Tensor:
    """(B, C, H, W) -> (B, C, kernel, kernel, H, W): what a convolution sees at each location, zeros outside."""
    reach = kernel // 2
    seen = x.new_zeros(*x.shape[:2], kernel, kernel, *x.shape[2:])
    height, width = x.shape[2:]
    for i in range(kernel):
        for j in range(kernel):
            for row in range(height):
                for column in range(width):
                    r, c = row + i - reach, column + j - reach
                    if 0 <= r < height and 0 <= c < width:
                        seen[:, :, i, j, row, column] = x[:, :, r, c]
    return seen


def convolved(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    out = torch.einsum("bsijhw,tsij->bthw", neighbours(x, weight.shape[-1]), weight)
    return out if bias is None else out + bias[:, None, None]


def normed(x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor | None = None, var: Tensor | None = None) -> Tensor:
    """Batch norm, with the batch's own moments unless given others."""
    if mean is None or var is None:
        mean = x.transpose(0, 1).flatten(1).mean(1)
        var = x.transpose(0, 1).flatten(1).var(1, correction=0)
    return (x - mean[:, None, None]) / (var + 1e-5).sqrt()[:, None, None] * gamma[:, None, None] + beta[:, None, None]


def by_hand(unit: Attention, features: list[Tensor], *, norm: str, training: bool) -> Tensor:
    """sigmoid(BN(W2 ReLU(BN(W1 x)))) * last, or with each norm behind its activation."""
    x = torch.cat(features[:-1], 1)
    convolutions = [m for m in unit.mask if isinstance(m, torch.nn.Conv2d)]
    norms = [m for m in unit.mask if isinstance(m, torch.nn.BatchNorm2d)]
    activations = [lambda v: v.clamp_min(0), lambda v: 1 / (1 + (-v).exp())]
    for convolution, batch_norm, activation in zip(convolutions, norms, activations, strict=True):
        moments = () if training else (batch_norm.running_mean, batch_norm.running_var)
        standard = partial(normed, gamma=batch_norm.weight, beta=batch_norm.bias)
        x = convolved(x, convolution.weight, convolution.bias)
        if norm == "before":
            x = activation(standard(x, mean=moments[0], var=moments[1]) if moments else standard(x))
        else:
            x = activation(x)
            x = standard(x, mean=moments[0], var=moments[1]) if moments else standard(x)
    return x * features[-1]


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("norm", ["before", "after"])
@pytest.mark.parametrize(
    ("channels", "options"),
    [((2, 3), {}), ((3, 3), {"per": "pixel", "hidden": 2}), ((2, 3, 4), {"kernel_size": 1, "hidden": 5})],
    ids=["mt-unet", "pixel", "mtan"],
)
def test_against_the_formula(channels: tuple[int, ...], options: dict, norm: str, training: bool) -> None:
    torch.manual_seed(3)
    unit = Attention([FeatureShape.image(c, H, W) for c in channels], norm=norm, **options).double()
    for tensor in [*unit.parameters(), *(b for b in unit.buffers() if b.is_floating_point())]:
        tensor.data = torch.rand_like(tensor) + 0.2
    features = [torch.randn(B, c, H, W, dtype=torch.float64) for c in channels]
    with torch.no_grad():
        expected = by_hand(unit, features, norm=norm, training=training)
        (out,) = unit.train(training)(features)
    torch.testing.assert_close(out, expected, rtol=1e-10, atol=1e-10)


def test_the_mask_is_in_0_1_with_the_norm_before_and_may_leave_it_after() -> None:
    torch.manual_seed(0)
    shapes, x = [FeatureShape.image(4, H, W)] * 2, 10 * torch.randn(B, 4, H, W)
    before, after = Attention(shapes).mask(x), Attention(shapes, norm="after").mask(x)
    assert 0 <= before.min() < 0.4 and 0.6 < before.max() <= 1
    assert after.min() < 0


def test_sources_are_resized_to_the_last() -> None:
    unit = Attention([FeatureShape.image(2, 4, 4), FeatureShape.image(2, 2, 2)]).eval()
    big, last = torch.rand(1, 2, 4, 4), torch.rand(1, 2, 2, 2)
    (out,) = unit([big, last])
    small = torch.nn.functional.avg_pool2d(big, 2)  # bilinear halving averages 2 x 2
    torch.testing.assert_close(out, unit.mask(small) * last)


def test_between_stages_it_gathers_those_of_one_stream() -> None:
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.Conv2d(4, 4, 1), torch.nn.Conv2d(4, 2, 1))
    unit = Attention([FeatureShape.image(4, 6, 6)] * 2)
    stream = tw.Stream(net, {"a": ["0"], "b": ["1"], "c": ["2"]})
    connected = tw.Connected({"seg": stream}, [tw.Connection({"seg": ("a", "b")}, unit)]).eval()
    x = torch.rand(2, 3, 6, 6)
    a = net[0](x)
    assert torch.equal(connected(x)["seg"], net[2](unit.mask(a) * net[1](a)))


@pytest.mark.parametrize("wrong", [{"norm": "none"}, {"per": "row"}, {"kernel_size": 2}, {"kernel_size": -1}], ids=str)
def test_what_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match=rf"Attention.*got .*{next(iter(wrong.values()))}"):
        Attention([FeatureShape.image(4, 2, 2)] * 2, **wrong)
    with pytest.raises(ValueError, match="Attention needs at least 2 features"):
        Attention([FeatureShape.image(4, 2, 2)])
