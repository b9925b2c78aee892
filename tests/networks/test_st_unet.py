"""ST-UNet against its definition written out, its size, and every reading of what the paper leaves open."""

from collections.abc import Sequence
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import taskweave as tw
from taskweave.networks import st_unet
from taskweave.networks.unet.st_unet import STUNet
from taskweave.parts import part

WIDTHS = (4, 5, 6, 7)


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def layer(sources: int, channels: int) -> int:
    """3x3 convolution with biases, and a batch norm."""
    return 9 * sources * channels + channels + 2 * channels


def trunk_size(widths: Sequence[int], *, dense: str = "encoder") -> int:
    """Encoder and bottleneck."""
    total, known, before = 0, 0, 3
    for width in widths:
        total += layer(before, width) + layer(known + width, width)
        known = known + 2 * width if dense == "encoder" else width
        before = known
    middle = 2 * widths[-1]
    return total + layer(before, middle) + layer(middle, middle) + 4 * middle * middle + middle


def decoder_size(
    channels: int, widths: Sequence[int], *, attention: bool = True, guests: int = 0, skip: str = "last"
) -> int:
    """Four blocks from the deepest on, the transposed convolutions between them, and the 1x1 convolution."""
    total, below = 0, 2 * widths[-1]
    for i in (3, 2, 1, 0):
        width = widths[i]
        encoded = width if skip == "last" else 2 * sum(widths[: i + 1])
        heard = guests * below if i == 1 else 0
        total += layer(below + heard + encoded, width) + layer(width, width)
        total += 2 * (9 * width * width + 2 * width) if attention else 0
        total += 4 * width * width + width if i > 0 else 0
        below = width
    return total + below * channels + channels


@pytest.mark.parametrize(("guests", "attention"), [(0, True), (0, False), (2, True)])
def test_parameter_count(guests: int, attention: bool) -> None:
    for widths in ((64, 128, 256, 512), WIDTHS):
        with torch.device("meta"):
            net = st_unet(13, widths=widths, guests=guests, attention=part(tw.Attention) if attention else None)
        assert count(net) == trunk_size(widths) + decoder_size(13, widths, attention=attention, guests=guests)


def test_parameter_counts_in_words() -> None:
    """The docstring's."""
    with torch.device("meta"):
        net = st_unet(13)
    assert count(net) == 64_984_461
    assert count(net.encoder) + count(net.bottleneck) == 44_796_224


def test_parameter_count_of_the_other_readings() -> None:
    build = partial(st_unet, 3, widths=WIDTHS)
    own = decoder_size(3, WIDTHS)
    assert count(build(dense="block")) == trunk_size(WIDTHS, dense="block") + own
    assert count(build(skip="all")) == trunk_size(WIDTHS) + decoder_size(3, WIDTHS, skip="all")
    assert count(build(upsampling="bilinear")) == trunk_size(WIDTHS) + own - sum(4 * w * w + w for w in WIDTHS[1:])
    assert count(build(bottleneck=(14, 14), decoder_widths=(7, 6, 5, 4))) == trunk_size(WIDTHS) + own
    narrow = layer(44, 7) + layer(7, 7) + 4 * 7 * 14 + 14  # two convolutions of 7, the transposed one still of 14
    assert count(build(bottleneck=(7, 14)).bottleneck) == narrow


def norm(x: Tensor, layer: nn.Module) -> Tensor:
    """In eval mode."""
    scale = layer.weight / (layer.running_var + 1e-5).sqrt()
    return (x - layer.running_mean[:, None, None]) * scale[:, None, None] + layer.bias[:, None, None]


def convolved(x: Tensor, block: nn.Module) -> Tensor:
    """Convolution, ReLU, batch norm."""
    return norm(F.conv2d(x, block[0].weight, block[0].bias, padding=1).clamp_min(0), block[2])


def pooled(x: Tensor) -> Tensor:
    return x.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).amax((3, 5))


def doubled(x: Tensor, up: nn.Module) -> Tensor:
    """A transposed convolution of kernel and stride 2: every cell makes four."""
    four = torch.einsum("bshw,stij->bthiwj", x, up.weight)
    return four.flatten(4, 5).flatten(2, 3) + up.bias[:, None, None]


def by_hand(net: STUNet, x: Tensor, *, attention: bool) -> Tensor:
    """All convolutions so far are kept in a list and pooled together."""
    known: list[Tensor] = []
    lasts: list[Tensor] = []
    for i, block in enumerate(net.encoder):
        known = [pooled(c) for c in known] if i else []
        known.append(convolved(torch.cat(known, 1) if i else x, block.conv1))
        known.append(convolved(torch.cat(known, 1), block.conv2))
        lasts.append(known[-1])
    x = torch.cat([pooled(c) for c in known], 1)
    x = doubled(convolved(convolved(x, net.bottleneck.conv1), net.bottleneck.conv2), net.bottleneck.up)
    for i, block in enumerate(net.decoder):
        x = x if i == 0 else doubled(x, net.up[i - 1])
        first = convolved(torch.cat([x, lasts[3 - i]], 1), block.conv1)
        x = convolved(first, block.conv2)
        if attention:
            one, norm1, _, two, norm2, _ = block.attention.mask
            middle = norm(F.conv2d(first, one.weight, padding=1), norm1).clamp_min(0)
            x = x * torch.sigmoid(norm(F.conv2d(middle, two.weight, padding=1), norm2))
    return torch.einsum("bshw,ts->bthw", x, net.head.weight[:, :, 0, 0]) + net.head.bias[:, None, None]


def shaken(net: nn.Module) -> nn.Module:
    """Norms and biases away from their start; float64, eval mode."""
    for tensor in [*net.parameters(), *(b for b in net.buffers() if b.is_floating_point())]:
        if tensor.ndim == 1:
            tensor.data = torch.rand_like(tensor) + 0.5
    return net.double().eval()


@pytest.mark.parametrize("attention", [True, False])
def test_against_the_definition(attention: bool) -> None:
    torch.manual_seed(0)
    net = shaken(st_unet(3, widths=WIDTHS, attention=part(tw.Attention) if attention else None))
    x = torch.randn(2, 3, 32, 48, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(net(x), by_hand(net, x, attention=attention), rtol=1e-9, atol=1e-9)


def test_stages_and_their_shapes() -> None:
    stream = tw.as_stream(st_unet(3, widths=WIDTHS))
    shapes = {name: shape.sizes for name, shape in stream.shapes(torch.rand(1, 3, 64, 32)).items()}
    assert shapes == {
        "encoder1": (8, 64, 32),
        "encoder2": (18, 32, 16),
        "encoder3": (30, 16, 8),
        "encoder4": (44, 8, 4),
        "bottleneck": (14, 8, 4),
        "decoder1": (7, 8, 4),
        "up1": (7, 16, 8),
        "decoder2": (6, 16, 8),
        "up2": (6, 32, 16),
        "decoder3": (5, 32, 16),
        "up3": (5, 64, 32),
        "decoder4": (4, 64, 32),
    }


READINGS = {
    "block": {"dense": "block"},
    "all skipped": {"skip": "all"},
    "bilinear": {"upsampling": "bilinear"},
    "other widths": {"decoder_widths": (3, 5, 2, 4), "bottleneck": (6, 9)},
    "norm after": {"attention": part(tw.Attention, norm="after")},
    "per pixel": {"attention": part(tw.Attention, per="pixel")},
    "room for guests": {"guests": 2},
}


@pytest.mark.parametrize("reading", READINGS)
def test_every_reading_is_a_stream_of_the_same_output(reading: str) -> None:
    torch.manual_seed(0)
    net, x = st_unet(3, widths=WIDTHS, **READINGS[reading]), torch.rand(2, 3, 18, 37)
    tw.as_stream(net).prove(x)
    out = net(x)
    assert out.shape == (2, 3, 18, 37)
    out.square().mean().backward()
    silent = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not silent


def test_dense_block_alone_sees_its_input() -> None:
    """dense="block": the second convolution takes the block's input and the first; only it goes on."""
    net = shaken(st_unet(1, widths=WIDTHS, dense="block"))
    x = torch.randn(1, 4, 6, 6, dtype=torch.float64)
    block = net.encoder[1]
    first = convolved(pooled(x), block.conv1)
    expected = convolved(torch.cat([pooled(x), first], 1), block.conv2)
    with torch.no_grad():
        torch.testing.assert_close(block(x), expected, rtol=1e-12, atol=1e-12)


def test_any_size() -> None:
    net = st_unet(2, widths=WIDTHS).eval()
    with torch.no_grad():
        for size in ((1, 1), (16, 17), (31, 15), (33, 47)):
            assert net(torch.rand(1, 3, *size)).shape == (1, 2, *size)


def test_dropout_is_only_before_the_pools() -> None:
    """encoder1, and with it the skip of the first block, is the same at every call in train mode; encoder2 is not."""
    stream = tw.as_stream(st_unet(2, widths=WIDTHS, dropout=0.5)).train()
    x, memory = torch.rand(2, 3, 32, 32), {}
    one = stream.run("encoder1", x, memory)
    assert torch.equal(one, stream.run("encoder1", x, memory))
    assert not torch.equal(stream.run("encoder2", one, memory), stream.run("encoder2", one, memory))
    assert sum(isinstance(m, nn.Dropout) for m in stream.modules()) == 4
    assert {m.p for m in stream.modules() if isinstance(m, nn.Dropout)} == {0.5}


def test_eps_of_the_batch_norms_behind_a_relu() -> None:
    """All 8 + 2 + 8 of them, not those of attention; a channel of variance 0 is multiplied by 1 / sqrt(eps) at test."""
    net = st_unet(2, widths=WIDTHS, bn_eps=1e-2).eval()
    behind = [
        m[2] for m in net.modules() if isinstance(m, nn.Sequential) and isinstance(m[-1], nn.BatchNorm2d) and len(m) == 3
    ]
    assert [norm.eps for norm in behind] == [1e-2] * 18
    silent = behind[0]
    silent.running_var.zero_()
    torch.testing.assert_close(silent(torch.full((1, WIDTHS[0], 1, 1), 0.3)), torch.full((1, WIDTHS[0], 1, 1), 3.0))


def test_attention_is_called_with_both_convolutions() -> None:
    net = shaken(st_unet(2, widths=WIDTHS))
    block = net.decoder[3]
    x, skip = torch.randn(1, 5, 8, 8, dtype=torch.float64), torch.randn(1, 4, 8, 8, dtype=torch.float64)
    with torch.no_grad():
        first = block.conv1(torch.cat([x, skip], 1))
        torch.testing.assert_close(block(x, skip), block.attention.mask(first) * block.conv2(first))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"widths": (4, 4, 4)}, r"widths are the channels of 4 blocks.*got \(4, 4, 4\)"),
        ({"decoder_widths": (4, 4, 4, 0)}, r"decoder_widths.*all positive; got \(4, 4, 4, 0\)"),
        ({"dense": "all"}, r"dense is one of \('encoder', 'block'\), got 'all'"),
        ({"skip": "none"}, r"skip is one of \('last', 'all'\), got 'none'"),
        ({"upsampling": "nearest"}, r"upsampling is one of \('transposed', 'bilinear'\), got 'nearest'"),
    ],
)
def test_what_is_refused(wrong: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        st_unet(3, **wrong)
