"""What NDDR networks and sluices are equal to (E3-E6 of the facts), on real networks in double precision."""

from functools import partial

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
    loss_of,
    named,
    picture,
    real_networks,
    streams_of,
)
from torch import Tensor

import taskweave as tw
from taskweave.features import FeatureShape

two_and_three = pytest.mark.parametrize("count", [2, 3])
C = 6
THROUGH_A_NETWORK = 1e-12  # 1e-15 where it arises, grown by the layers after it


def shapes(count: int) -> list[FeatureShape]:
    return [FeatureShape.image(C, 4, 5)] * count


def features(count: int) -> list[Tensor]:
    return list(torch.randn(count, 2, C, 4, 5, dtype=torch.float64))


def write(nddr: tw.NDDR, blocks: Tensor) -> None:
    """Set the weights from blocks (K, K, C, C): destination, source, channel out, channel in."""
    for t, convolution in enumerate(nddr.convolutions):
        convolution.weight.data.copy_(torch.cat(list(blocks[t]), 1)[:, :, None, None])


def blocks_of(grads: list[Tensor], count: int) -> Tensor:
    """(K, K, C, C) from the gradients of the convolutions' weights."""
    return torch.stack([torch.stack(grad[:, :, 0, 0].chunk(count, 1)) for grad in grads])


def assert_diagonal_nddr_is_cross_stitch(count: int, alpha: Tensor, per: str) -> None:
    stitch = tw.CrossStitch(shapes(count), per=per).double()
    stitch.alpha.data.copy_(alpha)
    nddr = tw.NDDR(shapes(count), order="none").double()
    write(nddr, torch.diag_embed(alpha.expand(count, count, C)))
    x = features(count)
    found, wanted = named(nddr(x)), named(stitch(x))
    assert_close(found, wanted, 1e-15)
    (grad,) = torch.autograd.grad(loss_of(wanted), [stitch.alpha])
    grads = blocks_of(list(torch.autograd.grad(loss_of(found), list(nddr.parameters()))), count)
    diagonals = grads.diagonal(dim1=2, dim2=3)
    trace = diagonals.sum(-1, keepdim=True) if per == "layer" else diagonals
    assert_close({"alpha": trace}, {"alpha": grad}, 1e-13)


@two_and_three
def test_e3_tied_diagonals_are_a_stitch_per_layer_and_its_gradient_is_the_trace(count: int) -> None:
    assert_diagonal_nddr_is_cross_stitch(count, torch.randn(count, count, 1, dtype=torch.float64), "layer")


@two_and_three
def test_e4_free_diagonals_are_a_stitch_per_channel(count: int) -> None:
    assert_diagonal_nddr_is_cross_stitch(count, torch.randn(count, count, C, dtype=torch.float64), "channel")


@real_networks
@two_and_three
def test_e3_e4_on_real_networks(real: Real, count: int) -> None:
    """NDDR's own start (.7, .3 / (K - 1)) is cross-stitch's, per layer and per channel, outputs and gradients."""
    stitched = connected(real, count, partial(tw.CrossStitch, self_weight=0.7))
    nddr = connected(real, count, partial(tw.NDDR, self_weight=0.7, order="none"))
    x = picture(real)
    found, wanted = nddr(x), stitched(x)
    assert_close(found, wanted, THROUGH_A_NETWORK)
    alphas = [stitched.connection(i).unit.alpha for i in range(len(real.places))]
    weights = [c.weight for i in range(len(real.places)) for c in nddr.connection(i).unit.convolutions]
    of_weights = torch.autograd.grad(loss_of(found), weights)
    for i, grad in enumerate(torch.autograd.grad(loss_of(wanted), alphas)):
        blocks = blocks_of(list(of_weights[i * count : (i + 1) * count]), count)
        assert_close({"": blocks.diagonal(dim1=2, dim2=3)}, {"": grad}, 1e-10)


@real_networks
@two_and_three
def test_e5_bare_convolution_with_one_and_zero_is_the_single_networks(real: Real, count: int) -> None:
    x = picture(real)
    net = connected(real, count, partial(tw.NDDR, self_weight=1.0, order="none"))
    assert_same(net(x), alone(real, count, x))
    report = tw.check_start(net, x.expand(2, -1, -1, -1))
    assert report.exact_claimed
    assert set(report.eval.values()) == {0.0}
    assert set(report.train.values()) == {0.0}


@real_networks
def test_e5_zero_and_one_swaps_the_features(real: Real) -> None:
    x, at = picture(real), real.places[1]
    net = connected(real, 2, partial(tw.NDDR, self_weight=0.0, other_weight=1.0, order="none"), at=[at])
    streams = streams_of(real, 2)
    features = {name: go(stream, x, {}, until=at) for name, stream in streams.items()}
    (first, a), (second, b) = streams.items()
    swapped = {first: go(a, features[second], {}, after=at), second: go(b, features[first], {}, after=at)}
    assert_same(net(x), swapped)


@pytest.mark.parametrize(("order", "eps"), [("paper", 1e-5), ("authors", 1e-3)])
def test_e5_a_fresh_batch_norm_scales_in_eval_mode_and_standardises_in_train_mode(order: str, eps: float) -> None:
    unit = tw.NDDR(shapes(2), self_weight=1.0, order=order).double().eval()
    x = [f.abs() + 1 for f in features(2)]
    assert_close(named(unit(x)), named([f / (1 + eps) ** 0.5 for f in x]), 1e-15)
    assert not unit.exact_start
    for y, f in zip(unit.train()(x), x, strict=True):
        assert (y - f).norm() > 0.5 * f.norm()


def test_e5_relu_after_the_convolution_cuts_negative_features() -> None:
    unit = tw.NDDR(shapes(2), self_weight=1.0).double().eval()
    x = features(2)
    assert_close(named(unit(x)), named([f.clamp_min(0) / (1 + 1e-3) ** 0.5 for f in x]), 1e-15)


def scaled_after(real: Real, stream: tw.Stream, x: Tensor, factor: float) -> Tensor:
    """A stream alone, its feature times a factor after every place."""
    memory, before = {}, None
    for place in real.places:
        x = memory[place] = go(stream, x, memory, after=before, until=place) * factor
        before = place
    return go(stream, x, memory, after=before)


@real_networks
@two_and_three
@pytest.mark.parametrize(("order", "eps"), [("paper", 1e-5), ("authors", 1e-3)])
def test_e5_fresh_batch_norms_scale_real_networks_at_every_place(real: Real, count: int, order: str, eps: float) -> None:
    """(1, 0) in eval mode: 1 / sqrt(1 + eps) at every place and nothing else, since features after ReLU pass the ReLU."""
    x = picture(real)
    net = connected(real, count, partial(tw.NDDR, self_weight=1.0, order=order))
    streams = streams_of(real, count).items()
    assert_close(net(x), {n: scaled_after(real, s, x, (1 + eps) ** -0.5) for n, s in streams}, THROUGH_A_NETWORK)


def test_e5_on_a_real_network_each_batch_norm_adds_its_share() -> None:
    """Five of them scale by .999995 each: nearly, not exactly, the single networks; what check_start says."""
    report = tw.check_start(connected(VGG, 2, partial(tw.NDDR, self_weight=1.0, order="paper")), picture(VGG, batch=2))
    largest = float(alone(VGG, 2, picture(VGG))["first"].detach().abs().max())
    assert not report.exact_claimed
    assert 0 < max(report.eval.values()) < 1e-3 * largest
    assert min(report.train.values()) > 10 * max(report.eval.values())


def random_alpha(count: int, subspaces: int) -> list[list[float]]:
    return torch.randn(count * subspaces, count * subspaces, dtype=torch.float64).tolist()


def kron_blocks(alpha: list[list[float]], count: int, channels: int) -> Tensor:
    """W = alpha (x) I as (K, K, C, C)."""
    matrix = torch.tensor(alpha, dtype=torch.float64)
    whole = torch.kron(matrix, torch.eye(count * channels // len(alpha), dtype=torch.float64))
    return whole.reshape(count, channels, count, channels).transpose(1, 2)


@two_and_three
@pytest.mark.parametrize("subspaces", [1, 2, 3, C])
def test_e6_sluice_is_nddr_with_alpha_times_identity(count: int, subspaces: int) -> None:
    """G = 1 is the cross-stitch per layer; G = C any NDDR."""
    alpha = random_alpha(count, subspaces)
    sluice = tw.Sluice(shapes(count), subspaces=subspaces, matrix=alpha).double()
    sluice.alpha.data.copy_(torch.tensor(alpha, dtype=torch.float64))
    nddr = tw.NDDR(shapes(count), order="none").double()
    write(nddr, kron_blocks(alpha, count, C))
    x = features(count)
    assert_close(named(sluice(x)), named(nddr(x)), 1e-14)
    if subspaces == 1:
        stitch = tw.CrossStitch(shapes(count), per="layer").double()
        stitch.alpha.data.copy_(sluice.alpha.data[:, :, None])
        assert_same(named(sluice(x)), named(stitch(x)))
    if subspaces == C:
        write(nddr, torch.tensor(alpha, dtype=torch.float64).reshape(count, C, count, C).transpose(1, 2))
        assert_close(named(sluice(x)), named(nddr(x)), 1e-14)


@real_networks
@two_and_three
def test_e6_on_real_networks(real: Real, count: int) -> None:
    sluices = connected(real, count, tw.Sluice)
    nddr = connected(real, count, partial(tw.NDDR, order="none"))
    for i in range(len(real.places)):
        sluice, unit = sluices.connection(i).unit, nddr.connection(i).unit
        with torch.no_grad():
            sluice.alpha.add_(torch.rand_like(sluice.alpha) / 4)
        write(unit, kron_blocks(sluice.alpha.tolist(), count, sluice.shapes[0].channels))
    x = picture(real)
    assert_close(nddr(x), sluices(x), THROUGH_A_NETWORK)
