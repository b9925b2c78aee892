"""What cross-connected networks are equal to (E8-E12 of the facts), in double precision."""

import copy

import pytest
import torch
from equivalences.real_networks import (
    VGG,
    Real,
    alone,
    assert_close,
    assert_same,
    connected,
    go,
    gradients,
    loss_of,
    named,
    picture,
    real_networks,
    streams_of,
)
from torch import Tensor, nn

import taskweave as tw
from taskweave.features import FeatureShape

C = 4
TWO = [FeatureShape.image(C, 5, 5)] * 2


def features() -> list[Tensor]:
    """As after a ReLU."""
    return list(torch.randn(2, 2, C, 5, 5, dtype=torch.float64).clamp_min(0))


def write(unit: tw.CrossConnection, link: str, weight: Tensor) -> None:
    with torch.no_grad():
        unit.convolutions[link].weight.copy_(weight[:, :, None, None])
        unit.convolutions[link].bias.zero_()


def zero(net: nn.Module) -> None:
    for p in net.parameters():
        p.data.zero_()


@real_networks
@pytest.mark.parametrize("count", [2, 3])
def test_e8_zero_cross_weights_are_independent_networks_and_dead(real: Real, count: int) -> None:
    net, x = connected(real, count, tw.CrossConnection), picture(real)
    zero(net.connections)
    assert_same(net(x), alone(real, count, x))
    grads = torch.autograd.grad(loss_of(net(x)), list(net.connections.parameters()))
    assert all((grad == 0).all() for grad in grads)


def test_e8_a_linear_link_or_a_gate_is_not_dead() -> None:
    x = features()
    linear = tw.CrossConnection(TWO, linear=True).double()
    zero(linear)
    gated = tw.CrossConnection(TWO, gate=True).double()
    for unit in (linear, gated):
        assert_same(named(unit(x)), named(x))
        grads = torch.autograd.grad(loss_of(named(unit(x))), list(unit.parameters()), allow_unused=True)
        assert any(grad is not None and grad.abs().sum() > 0 for grad in grads)


def test_e9_contains_the_stitch_that_adds() -> None:
    """a_S = 1, a_D >= 0: W = a_D I, b = 0, on features that are not negative."""
    x, eye = features(), torch.eye(C, dtype=torch.float64)
    unit = tw.CrossConnection(TWO).double()
    write(unit, "1_to_0", 0.3 * eye)
    write(unit, "0_to_1", 0.8 * eye)
    stitch = tw.CrossStitch(TWO, matrix=[[1.0, 0.3], [0.8, 1.0]]).double()
    stitch.alpha.data.copy_(torch.tensor([[1.0, 0.3], [0.8, 1.0]], dtype=torch.float64)[:, :, None].expand(2, 2, C))
    assert_close(named(unit(x)), named(stitch(x)), 1e-15)


def test_e9_contains_any_stitch_of_positive_diagonal_after_rescaling() -> None:
    """On VGG-16 after conv2_2: A's own convolution and bias times a_AA, B's times a_BB, W_A->B = a_BA / a_AA, ..."""
    at, matrix = "conv2_2", [[0.5, 0.25], [2.0, 4.0]]
    stitched = connected(VGG, 2, lambda shapes: tw.CrossStitch(shapes, matrix=matrix), at=[at])
    streams = {name: copy.deepcopy(stream) for name, stream in streams_of(VGG, 2).items()}
    (a_aa, a_ab), (a_ba, a_bb) = matrix
    for stream, factor in zip(streams.values(), (a_aa, a_bb), strict=True):
        for p in stream.net.get_submodule(stream.modules_of(at)[0]).parameters():
            p.data.mul_(factor)
    net = tw.connect(streams, [at], tw.CrossConnection, example=picture(VGG), prove=False).double().eval()
    eye = torch.eye(128, dtype=torch.float64)
    write(net.connection(0).unit, "0_to_1", a_ba / a_aa * eye)
    write(net.connection(0).unit, "1_to_0", a_ab / a_bb * eye)
    x = picture(VGG)
    assert_close(net(x), stitched(x), 1e-13)


def test_e10_a_negative_weight_needs_a_linear_link() -> None:
    """While g ends in ReLU the result is the independent feature."""
    x, weight = features(), -0.5 * torch.eye(C, dtype=torch.float64)
    stitched = [x[0] - 0.5 * x[1], x[1] - 0.5 * x[0]]
    for linear, expected in ((False, x), (True, stitched)):
        unit = tw.CrossConnection(TWO, linear=linear).double()
        write(unit, "0_to_1", weight)
        write(unit, "1_to_0", weight)
        assert_close(named(unit(x)), named(expected), 1e-15)


def test_e11_linear_links_are_nddr_with_its_own_block_the_identity() -> None:
    x = [f - 0.3 for f in features()]
    w = torch.randn(2, C, C, dtype=torch.float64)
    unit = tw.CrossConnection(TWO, linear=True).double()
    write(unit, "1_to_0", w[0])
    write(unit, "0_to_1", w[1])
    nddr = tw.NDDR(TWO, order="none").double()
    eye = torch.eye(C, dtype=torch.float64)
    nddr.convolutions[0].weight.data.copy_(torch.cat([eye, w[0]], 1)[:, :, None, None])
    nddr.convolutions[1].weight.data.copy_(torch.cat([w[1], eye], 1)[:, :, None, None])
    assert_close(named(unit(x)), named(nddr(x)), 1e-15)


def test_e12_hard_sharing_is_a_cross_connection_that_replaces() -> None:
    """B's own convolution zero, W_A->B = I, W_B->A = 0 at the split."""
    at, x = "conv3_3", picture(VGG)
    streams = dict(streams_of(VGG, 2))
    second = copy.deepcopy(streams["second"])
    zero(second.net.get_submodule(second.modules_of(at)[0]))
    net = tw.connect(streams | {"second": second}, [at], tw.CrossConnection, example=x, prove=False).double().eval()
    write(net.connection(0).unit, "0_to_1", torch.eye(256, dtype=torch.float64))
    write(net.connection(0).unit, "1_to_0", torch.zeros(256, 256, dtype=torch.float64))
    feature = go(streams["first"], x, {}, until=at)
    assert_same(net(x), {name: go(stream, feature, {}, after=at) for name, stream in streams.items()})
    assert_same(net(x), tw.share(streams, until=at)(x))
    grads = gradients(loss_of(net(x)), streams)
    assert any(grad is not None and grad.abs().sum() > 0 for grad in grads.values())
