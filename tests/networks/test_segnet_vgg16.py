"""SegNet against its layers written out, its size against the authors', its encoder's weights, its pooling after fusion."""

from itertools import pairwise

import pytest
import torch
from networks.segnets import DEPTHS, TINY, WIDTHS, Source, body_size, count, decoded, head_size, lively
from torch import Tensor

import taskweave as tw
from taskweave.networks.segnet.segnet_vgg16 import SegNetVGG16, pooled, segnet_vgg16, unpooled
from taskweave.networks.vgg.weights import load_vgg16


@pytest.mark.parametrize("widths", [WIDTHS, TINY])
def test_parameter_count(widths: tuple[int, ...]) -> None:
    with torch.device("meta"):
        net = segnet_vgg16(13, widths=widths)
    assert count(net) == body_size(widths) + head_size(widths[0], 13)
    assert count(net) == 24_973_901 or widths == TINY


def test_the_authors_count_has_a_bias_before_every_norm() -> None:
    """MTAN's public code states its SegNet's parameters, 24,981,069, in every script."""
    assert body_size(WIDTHS, biases=True) + head_size(64, 13) == 24_981_069


def test_depths() -> None:
    depths = (1, 2, 1, 1, 2)
    net = segnet_vgg16(2, widths=TINY, depths=depths)
    assert count(net) == body_size(TINY, depths) + head_size(TINY[0], 2)
    x = torch.rand(2, 3, 32, 40)
    lively(net)
    torch.testing.assert_close(net(x), decoded(net.state_dict(), x, depths=depths))
    tw.as_stream(net).prove(x)


@pytest.mark.parametrize("size", [(64, 96), (37, 65)])
def test_equals_the_layers_written_out(size: tuple[int, int]) -> None:
    net, x = lively(segnet_vgg16(3, widths=TINY)), torch.rand(2, 3, *size)
    with torch.no_grad():
        output = net(x)
        assert output.shape == (2, 3, *size)
        torch.testing.assert_close(output, decoded(net.state_dict(), x))


@pytest.mark.parametrize("size", [(6, 8), (5, 7), (1, 2)])
def test_unpooling_puts_maxima_back(size: tuple[int, int]) -> None:
    """By definition: a cell keeps its value where it is the largest of its 2x2 window, and is zero elsewhere."""
    x = torch.rand(2, 3, *size) + 0.1
    expected = torch.zeros_like(x)
    for i in range(0, size[0], 2):
        for j in range(0, size[1], 2):
            window = x[:, :, i : i + 2, j : j + 2]
            largest = window.flatten(2).max(-1).values[..., None, None]
            expected[:, :, i : i + 2, j : j + 2] = window * (window == largest)
    assert torch.equal(unpooled(*pooled(x), size), expected)


class Swap(tw.Unit):
    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return features[::-1]


def test_maxima_are_found_after_fusion() -> None:
    """Streams that exchange features before pool1 unpool by the places of what they were handed."""
    nets = {name: lively(segnet_vgg16(2, widths=TINY)) for name in "ab"}
    x = torch.rand(2, 3, 32, 32)
    streams = {name: tw.as_stream(net) for name, net in nets.items()}
    swapped = tw.connect(streams, ["conv1_2"], Swap, example=x).eval()
    with torch.no_grad():
        outputs = swapped(x)
        for name, other in (("a", "b"), ("b", "a")):
            given = nets[other].body(x)["conv1_2"]
            torch.testing.assert_close(outputs[name], decoded(nets[name].state_dict(), given, begun=True))


@pytest.mark.parametrize("batch_norm", [True, False])
def test_vgg16_weights_load_into_the_encoder(batch_norm: bool) -> None:
    source, net = lively(Source(batch_norm=batch_norm)), segnet_vgg16(2, widths=TINY).eval()
    decoder = {name: value.clone() for name, value in net.body.decoder.state_dict().items()}
    load_vgg16(net, source)
    x = torch.rand(2, 3, 48, 32)
    with torch.no_grad():
        torch.testing.assert_close(net.body(x)["conv5_3"], source.features[:-1](x))
    assert all(torch.equal(value, decoder[name]) for name, value in net.body.decoder.state_dict().items())


def test_weights_of_another_network_are_refused() -> None:
    source = Source(batch_norm=True)
    with pytest.raises(ValueError, match=r"13 convolutions, this SegNetVGG16 has 26; build it with VGG-16's depths"):
        load_vgg16(segnet_vgg16(2, widths=TINY, depths=[2 * depth for depth in DEPTHS]), source)
    with pytest.raises(ValueError, match="another network than VGG-16"):
        load_vgg16(segnet_vgg16(2, widths=(4, 4, 6, 6, 6)), source)
    with pytest.raises(ValueError, match="fc='fresh'"):
        load_vgg16(segnet_vgg16(2, widths=TINY), source, fc="decimated")


def test_sizes_are_checked() -> None:
    with pytest.raises(ValueError, match=r"5 blocks, all positive; got \(4, 4\)"):
        segnet_vgg16(2, widths=(4, 4))
    with pytest.raises(ValueError, match=r"5 blocks, all positive; got \(4, 4, 0, 4, 4\)"):
        segnet_vgg16(2, widths=(4, 4, 0, 4, 4))
    with pytest.raises(ValueError, match=r"at least one each; got \(2, 2, 3\)"):
        segnet_vgg16(2, widths=TINY, depths=(2, 2, 3))


def test_places_are_the_ends_of_blocks() -> None:
    """Every pool, and every decoder block but the last: nine, as MTAN's cross-stitch has four and five."""
    order = list(tw.as_stream(segnet_vgg16(2, widths=TINY)).stages)
    ends = [name for name, after in pairwise(order) if name.startswith("pool") or after.startswith("unpool")]
    assert list(SegNetVGG16.usual_stages) == ends
    assert len(ends) == 9
    assert order[-3:] == ["dec1_1", "dec1_2", "hidden"]
