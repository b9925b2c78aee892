"""What cross-stitch networks are equal to (E1, E2, E7 of the facts), on real networks in double precision."""

from functools import partial

import pytest
import torch
from equivalences.real_networks import (
    Real,
    alone,
    assert_close,
    assert_same,
    connected,
    go,
    gradients,
    loss_of,
    picture,
    real_networks,
    streams_of,
)

import taskweave as tw
from taskweave.features import FeatureShape

two_and_three = pytest.mark.parametrize("count", [2, 3])


def eye(count: int) -> list[list[float]]:
    return [[float(s == t) for s in range(count)] for t in range(count)]


@real_networks
@two_and_three
@pytest.mark.parametrize("per", ["channel", "layer"])
def test_e1_identity_weights_are_independent_networks(real: Real, count: int, per: str) -> None:
    """Outputs and gradients of the networks bit for bit; the weights of the other streams do get a gradient."""
    net = connected(real, count, partial(tw.CrossStitch, self_weight=1.0, other_weight=0.0, per=per))
    x = picture(real)
    together, apart = net(x), alone(real, count, x)
    assert_same(together, apart)
    streams = streams_of(real, count)
    assert_same(gradients(loss_of(together), streams), gradients(loss_of(apart), streams))
    alphas = [net.connection(i).unit.alpha for i in range(len(net.connections))]
    for place, grad in zip(real.places, torch.autograd.grad(loss_of(together), alphas), strict=True):
        others = grad[~torch.eye(count, dtype=torch.bool)]
        assert (others.abs().sum(-1) > 0).all(), f"the other streams' weights at {place} do not learn"


def splitting(place: int):
    """A unit factory: all go on with the first stream's feature at connection number `place`, as they are elsewhere."""
    made = iter(range(99))

    def unit(shapes: list[FeatureShape]) -> tw.CrossStitch:
        count = len(shapes)
        first = [[1.0] + [0.0] * (count - 1)] * count
        return tw.CrossStitch(shapes, matrix=first if next(made) == place else eye(count))

    return unit


@real_networks
@two_and_three
def test_e2_split_is_a_cross_stitch_network(real: Real, count: int) -> None:
    """A = [[1, 0], [1, 0]] at one place, identity elsewhere, is one trunk up to there: outputs, gradient of the trunk
    (the sum over tasks), and no gradient for the other streams' lower layers."""
    place = 1
    net, x, streams = connected(real, count, splitting(place)), picture(real), streams_of(real, count)
    first = next(iter(streams.values()))
    feature = go(first, x, {}, until=real.places[place])
    split = {name: go(stream, feature, {}, after=real.places[place]) for name, stream in streams.items()}
    stitched = net(x)
    assert_same(stitched, split)
    assert_same(tw.share(streams, until=real.places[place])(x), split)

    found = gradients(loss_of(stitched), streams)
    wanted = gradients(loss_of(split), streams)
    lower = {f"{name}.net.{path}" for name, paths in _lower(streams, real.places[place]).items() for path in paths}
    for name, grad in found.items():
        if name in lower and not name.startswith("first."):
            assert grad is not None
            assert (grad == 0).all(), name
    of_trunk = {name: grad for name, grad in found.items() if grad is not None and name not in lower}
    trunk = {name: found[name] for name in lower if name.startswith("first.")}
    assert_same(of_trunk, {name: wanted[name] for name in of_trunk})
    assert_close(trunk, {name: wanted[name] for name in trunk}, 1e-13)
    if count == 2:  # of more than two terms the order of the sum is open
        assert_same(trunk, {name: wanted[name] for name in trunk})
    alone = [{other: y if other == name else y.detach() for other, y in split.items()} for name in streams]
    by_task = [gradients(loss_of(outputs), streams) for outputs in alone]
    assert_close(trunk, {name: sum(grads[name] for grads in by_task) for name in trunk}, 1e-12)


def _lower(streams: dict[str, tw.Stream], place: str) -> dict[str, set[str]]:
    """The parameters of each network that are used up to a stage."""
    found = {}
    for name, stream in streams.items():
        stages = list(stream.stages)[: list(stream.stages).index(place) + 1]
        paths = [path for stage in stages for path in stream.modules_of(stage)]
        found[name] = {f"{path}.{n}" for path in paths for n, _ in stream.net.get_submodule(path).named_parameters()}
    return found


def test_e7_k_tasks_with_two_is_the_first_papers_unit() -> None:
    """p004's eq. 1 for K = 2 and p001's eq. 1: x~_A = a_AA x_A + a_AB x_B; x~_B = a_BA x_A + a_BB x_B."""
    unit = tw.CrossStitch([FeatureShape.image(3, 4, 5)] * 2, matrix=[[0.75, -0.5], [0.25, 2.0]]).double()
    a, b = torch.randn(2, 2, 3, 4, 5, dtype=torch.float64)
    for_a, for_b = unit([a, b])
    assert torch.equal(for_a, 0.75 * a + -0.5 * b)
    assert torch.equal(for_b, 0.25 * a + 2.0 * b)


@real_networks
def test_e7_two_real_networks_follow_the_first_papers_unit(real: Real) -> None:
    """The unit of K tasks between two networks, against p001's two equations written out place by place."""
    (a_aa, a_ab), (a_ba, a_bb) = matrix = [[0.75, -0.5], [0.25, 2.0]]
    x = picture(real)
    net = connected(real, 2, partial(tw.CrossStitch, matrix=matrix))
    (first, one), (second, other) = streams_of(real, 2).items()
    memories, x_a, x_b, before = ({}, {}), x, x, None
    for place in real.places:
        x_a = go(one, x_a, memories[0], after=before, until=place)
        x_b = go(other, x_b, memories[1], after=before, until=place)
        x_a, x_b = a_aa * x_a + a_ab * x_b, a_ba * x_a + a_bb * x_b
        memories[0][place], memories[1][place], before = x_a, x_b, place
    wanted = {first: go(one, x_a, memories[0], after=before), second: go(other, x_b, memories[1], after=before)}
    assert_same(net(x), wanted)


def test_the_asserts_can_fail() -> None:
    x = torch.ones(3, dtype=torch.float64)
    assert_same({"a": x, "b": None}, {"a": x.clone(), "b": None})
    assert_close({"a": x * (1 + 1e-15)}, {"a": x}, 1e-14)
    for other in ({"a": x + 1e-15, "b": None}, {"a": x, "b": x}, {"a": x}, {"a": x * float("nan"), "b": None}):
        with pytest.raises(AssertionError):
            assert_same({"a": x, "b": None}, other)
    for wrong in (x * (1 + 1e-13), x * float("nan")):
        with pytest.raises(AssertionError):
            assert_close({"a": wrong}, {"a": x}, 1e-14)
