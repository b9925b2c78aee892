"""E1, E2 and E8-E12 on the cross-connected paper's networks and on Fast R-CNN with attributes, in double precision."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import pytest
import torch
from equivalences.real_networks import assert_close, assert_same, gradients, loss_of
from torch import Tensor, nn

import taskweave as tw
from taskweave.networks import fast_rcnn_alexnet, pspnet_vgg16, rpn_vgg16
from taskweave.networks.alexnet import FastRCNNAlexNet
from taskweave.networks.vgg.networks import CROSS_CONNECTED
from taskweave.weaving.connect import UnitFactory

Matrix = list[list[float]]


@dataclass(frozen=True)
class Pair:
    """Two networks, all places of the paper, one place in the middle (after a ReLU) and its last layer."""

    name: str
    first: Callable[[], nn.Module]
    second: Callable[[], nn.Module]
    places: tuple[str, ...]
    middle: str
    channels: int

    def __str__(self) -> str:
        return self.name


VGG = Pair(
    "rpn + pspnet",
    partial(rpn_vgg16, 2, width=16, hidden=32),
    partial(pspnet_vgg16, 5, width=16, hidden=32),
    CROSS_CONNECTED,
    "conv3_3",
    64,
)
REGIONS = Pair(
    "fast r-cnn + attributes",
    partial(fast_rcnn_alexnet, 5, hidden=48),
    partial(fast_rcnn_alexnet, 6, boxes=False, hidden=48),
    FastRCNNAlexNet.usual_stages,
    "fc6",
    48,
)
pairs = pytest.mark.parametrize("pair", [VGG, REGIONS], ids=str)


@cache
def streams_of(pair: Pair) -> dict[str, tw.Stream]:
    """The same networks for every test, in eval mode: no test may change them."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        nets = {"first": pair.first(), "second": pair.second()}
    return {name: tw.as_stream(net.double()).eval() for name, net in nets.items()}


def example(pair: Pair) -> Any:
    x = torch.randn(2, 3, 48, 48, dtype=torch.float64)
    boxes = torch.tensor([[0.0, 0.0, 48.0, 48.0], [5.0, 3.0, 30.0, 40.0], [20.0, 20.0, 44.0, 36.0]]).double()
    return (x, [boxes, boxes[:1]]) if pair is REGIONS else x


def connected(
    pair: Pair, unit: UnitFactory, x: Any, *, at: Sequence[str] = (), streams: Mapping[str, tw.Stream] | None = None
) -> tw.Connected:
    net = tw.connect(streams or streams_of(pair), at or pair.places, unit, example=x, prove=False)
    return net.double().eval()


def flat(outputs: Mapping[str, Any]) -> dict[str, Tensor]:
    """Tensors that depend on parameters, by stream and place."""
    parts = {
        f"{name}.{i}": y for name, out in outputs.items() for i, y in enumerate(out if isinstance(out, tuple) else [out])
    }
    return {name: y for name, y in parts.items() if isinstance(y, Tensor) and y.requires_grad}


def alone(pair: Pair, x: Any, streams: Mapping[str, tw.Stream] | None = None) -> dict[str, Tensor]:
    return flat({name: stream(x) for name, stream in (streams or streams_of(pair)).items()})


def zero(net: nn.Module) -> None:
    for p in net.parameters():
        p.data.zero_()


def write(net: tw.Connected, link: str, weight: Tensor) -> None:
    """The weight of a link at the first connection, without bias."""
    unit = net.connection(0).unit
    assert isinstance(unit, tw.CrossConnection)
    unit.convolutions[link].weight.data.copy_(weight[:, :, None, None])
    unit.convolutions[link].bias.data.zero_()


def eye(pair: Pair) -> Tensor:
    return torch.eye(pair.channels, dtype=torch.float64)


def stitched(pair: Pair, matrix: Matrix, x: Any) -> tw.Connected:
    return connected(pair, lambda shapes: tw.CrossStitch(shapes, matrix=matrix), x, at=[pair.middle])


def last_layer(stream: tw.Stream, stage: str) -> nn.Module:
    return stream.net.get_submodule(stream.modules_of(stage)[0])


@pairs
@pytest.mark.parametrize("per", ["channel", "layer"])
def test_e1_identity_weights_are_independent_networks(pair: Pair, per: str) -> None:
    x, streams = example(pair), streams_of(pair)
    net = connected(pair, partial(tw.CrossStitch, self_weight=1.0, other_weight=0.0, per=per), x)
    together, apart = flat(net(x)), alone(pair, x)
    assert_same(together, apart)
    assert_same(gradients(loss_of(together), streams), gradients(loss_of(apart), streams))


@pairs
def test_e2_split_is_a_cross_stitch_network(pair: Pair) -> None:
    x = example(pair)
    net = stitched(pair, [[1.0, 0.0], [1.0, 0.0]], x)
    assert_same(flat(net(x)), flat(tw.share(streams_of(pair), until=pair.middle)(x)))


@pairs
def test_e8_zero_cross_weights_are_independent_networks_and_dead(pair: Pair) -> None:
    x = example(pair)
    net = connected(pair, tw.CrossConnection, x)
    zero(net.connections)
    assert_same(flat(net(x)), alone(pair, x))
    grads = torch.autograd.grad(loss_of(flat(net(x))), list(net.connections.parameters()), allow_unused=True)
    assert all(grad is None or (grad == 0).all() for grad in grads)
    assert any(grad is not None for grad in grads)


@pairs
def test_e9_contains_any_stitch_of_positive_diagonal_after_rescaling(pair: Pair) -> None:
    """A's own layer times a_AA, B's times a_BB, W_A->B = a_BA / a_AA, W_B->A = a_AB / a_BB."""
    x, matrix = example(pair), [[0.5, 0.25], [2.0, 4.0]]
    (a_aa, a_ab), (a_ba, a_bb) = matrix
    streams = {name: copy.deepcopy(stream) for name, stream in streams_of(pair).items()}
    for stream, factor in zip(streams.values(), (a_aa, a_bb), strict=True):
        for p in last_layer(stream, pair.middle).parameters():
            p.data.mul_(factor)
    net = connected(pair, tw.CrossConnection, x, at=[pair.middle], streams=streams)
    write(net, "0_to_1", a_ba / a_aa * eye(pair))
    write(net, "1_to_0", a_ab / a_bb * eye(pair))
    assert_close(flat(net(x)), flat(stitched(pair, matrix, x)(x)), 1e-13)


@pairs
def test_e10_a_negative_weight_needs_a_linear_link(pair: Pair) -> None:
    """While g ends in ReLU the networks are the independent ones."""
    x, matrix = example(pair), [[1.0, -0.5], [-0.5, 1.0]]
    expected = {False: alone(pair, x), True: flat(stitched(pair, matrix, x)(x))}
    for linear, outputs in expected.items():
        net = connected(pair, partial(tw.CrossConnection, linear=linear), x, at=[pair.middle])
        for link in ("0_to_1", "1_to_0"):
            write(net, link, -0.5 * eye(pair))
        assert_close(flat(net(x)), outputs, 1e-13)
    with pytest.raises(AssertionError):
        assert_close(expected[False], expected[True], 1e-3)


@pairs
def test_e11_linear_links_are_nddr_with_its_own_block_the_identity(pair: Pair) -> None:
    x, w = example(pair), torch.randn(2, pair.channels, pair.channels, dtype=torch.float64)
    net = connected(pair, partial(tw.CrossConnection, linear=True), x, at=[pair.middle])
    write(net, "1_to_0", w[0])
    write(net, "0_to_1", w[1])
    reduced = connected(pair, partial(tw.NDDR, order="none"), x, at=[pair.middle])
    unit = reduced.connection(0).unit
    assert isinstance(unit, tw.NDDR)
    unit.convolutions[0].weight.data.copy_(torch.cat([eye(pair), w[0]], 1)[:, :, None, None])
    unit.convolutions[1].weight.data.copy_(torch.cat([w[1], eye(pair)], 1)[:, :, None, None])
    assert_close(flat(net(x)), flat(reduced(x)), 1e-12)


@pairs
def test_e12_hard_sharing_is_a_cross_connection_that_replaces(pair: Pair) -> None:
    """B's own layer zero, W_A->B = I, W_B->A = 0 at the split: bit for bit the trunk with two ends."""
    x, streams = example(pair), dict(streams_of(pair))
    second = copy.deepcopy(streams["second"])
    zero(last_layer(second, pair.middle))
    net = connected(pair, tw.CrossConnection, x, at=[pair.middle], streams=streams | {"second": second})
    write(net, "0_to_1", eye(pair))
    write(net, "1_to_0", torch.zeros_like(eye(pair)))
    assert_same(flat(net(x)), flat(tw.share(streams, until=pair.middle)(x)))


def test_e12_share_4_of_the_papers_networks() -> None:
    """At conv4_3, the last of the ten shared convolutions, though the streams' grids differ behind it."""
    pair = Pair("share 4", VGG.first, VGG.second, VGG.places, "conv4_3", 128)
    x, streams = example(VGG), dict(streams_of(VGG))
    second = copy.deepcopy(streams["second"])
    zero(last_layer(second, "conv4_3"))
    net = connected(VGG, tw.CrossConnection, x, at=["conv4_3"], streams=streams | {"second": second})
    write(net, "0_to_1", eye(pair))
    write(net, "1_to_0", torch.zeros_like(eye(pair)))
    assert_same(flat(net(x)), flat(tw.share(streams, until="conv4_3")(x)))


def test_scale_layers_are_the_stitch_whose_own_weight_is_one() -> None:
    x = example(VGG)
    scales = connected(VGG, partial(tw.units.ScaleLayer, other_weight=0.25), x)
    stitch = connected(VGG, partial(tw.CrossStitch, self_weight=1.0, other_weight=0.25), x)
    assert_same(flat(scales(x)), flat(stitch(x)))
    cross = connected(VGG, tw.CrossConnection, x)
    for i in range(10):
        unit = cross.connection(i).unit
        assert isinstance(unit, tw.CrossConnection)
        for convolution in unit.convolutions.values():
            channels = convolution.out_channels
            convolution.weight.data.copy_(0.25 * torch.eye(channels, dtype=torch.float64)[:, :, None, None])
            convolution.bias.data.zero_()
    assert_close(flat(cross(x)), flat(scales(x)), 1e-13)
