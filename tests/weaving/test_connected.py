"""Streams in lock-step: what they compute, what they keep, what `predict` gives and refuses."""

import copy
import pickle
from collections.abc import Sequence

import pytest
import timm
import torch
import torchvision
from contracts.stream_contract import assert_equal
from networks.toys import Last, Sum, Swap, X, plain
from streams.nets import images_and_targets, retinanet
from torch import Tensor, nn

import taskweave as tw
from taskweave.weaving import watching

SHAPES = [tw.FeatureShape.image(4, 5, 4)] * 2


def chain(stream: tw.Stream, x: Tensor, *stages: str) -> Tensor:
    for stage in stages:
        x = stream.net.get_submodule(stage)(x)
    return x


def test_needs_a_stream() -> None:
    with pytest.raises(ValueError, match="at least one stream"):
        tw.Connected({})


def test_without_connections_the_streams_side_by_side() -> None:
    streams = plain("abc")
    outputs = tw.Connected(streams)(X)
    assert {name: torch.equal(outputs[name], streams[name].net(X)) for name in outputs} == dict.fromkeys("abc", True)


def test_each_connection_reads_what_the_ones_before_made() -> None:
    streams = plain("ab")
    a, b = streams["a"], streams["b"]
    connections = [tw.Connection({"a": "s1", "b": "s1"}, Swap(SHAPES)), tw.Connection({"a": "s2", "b": "s2"}, Sum(SHAPES))]
    outputs = tw.Connected(streams, connections)(X)
    a2, b2 = chain(a, chain(b, X, "s1"), "s2"), chain(b, chain(a, X, "s1"), "s2")
    assert torch.allclose(outputs["a"], chain(a, a2 + 2 * b2, "s3"))
    assert torch.allclose(outputs["b"], chain(b, b2 + 2 * a2, "s3"))


def test_a_gathering_reads_features_after_fusion_and_stands_for_the_last() -> None:
    streams = plain("ab")
    a, b = streams["a"], streams["b"]
    connections = [tw.Connection({"a": "s1", "b": "s1"}, Swap(SHAPES)), tw.Connection({"a": ("s1", "s2")}, Last([]))]
    output = tw.Connected(streams, connections)(X)["a"]
    fused = chain(b, X, "s1")
    assert torch.allclose(output, chain(a, fused + chain(a, fused, "s2"), "s3"))


def test_places_may_differ_per_stream_and_a_connection_may_leave_streams_out() -> None:
    streams = plain("abc")
    a, c = streams["a"], streams["c"]
    outputs = tw.Connected(streams, [tw.Connection({"c": "s1", "a": "s2"}, Swap(SHAPES))])(X)
    assert torch.equal(outputs["a"], chain(a, chain(c, X, "s1"), "s3"))
    assert torch.equal(outputs["c"], chain(c, chain(a, X, "s1", "s2"), "s2", "s3"))
    assert torch.equal(outputs["b"], streams["b"].net(X))


def test_own_inputs_and_one_for_all() -> None:
    net = tw.Connected(plain("ab"), [tw.Connection({"a": "s1", "b": "s1"}, Sum(SHAPES))])
    together, apart = net(X), net({"a": X, "b": X})
    assert all(torch.equal(together[name], apart[name]) for name in "ab")
    other = net({"a": X, "b": 2 * X})
    assert not torch.equal(other["a"], together["a"])


def test_one_unit_may_serve_several_connections() -> None:
    unit = tw.CrossStitch(SHAPES, per="layer")
    net = tw.Connected(plain("ab"), [tw.Connection({"a": s, "b": s}, unit) for s in ("s1", "s2")])
    assert len(list(net.connections.parameters())) == len(list(unit.parameters()))
    sum(output.sum() for output in net(X).values()).backward()
    assert all(p.grad is not None for p in net.parameters())


def test_trunk_serves_all() -> None:
    streams = plain("ab")
    a, b = streams["a"], streams["b"]
    outputs = tw.Connected(streams, trunk="s2")(X)
    assert torch.equal(outputs["b"], chain(b, chain(a, X, "s1", "s2"), "s3"))
    sum(output.sum() for output in outputs.values()).backward()
    assert b.net.s1.weight.grad is None and b.net.s3.weight.grad is not None and a.net.s1.weight.grad is not None


def test_gradients_cross_and_parameters_have_roles() -> None:
    net = tw.connect(plain("ab"), ["s1"], tw.CrossStitch, example=X)
    net(X)["a"].sum().backward()
    assert net.stream("b").net.s1.weight.grad.abs().sum() > 0
    assert net.stream("b").net.s2.weight.grad is None
    roles = [set(map(id, part.parameters())) for part in (net.streams, net.connections)]
    assert set(map(id, net.parameters())) == roles[0] | roles[1] and not roles[0] & roles[1]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("count", [2, 3])
def test_identity_units_change_nothing_exactly(training: bool, count: int) -> None:
    x = torch.rand(2, 3, 64, 64)
    builds = [
        lambda: timm.create_model("test_resnet", num_classes=3, drop_rate=0.5),
        lambda: timm.create_model("test_resnet", num_classes=3),
        lambda: torchvision.models.resnet18(num_classes=3),
    ][:count]
    nets = {f"t{i}": build().train(training) for i, build in enumerate(builds)}
    alone = copy.deepcopy(nets)
    places = ["stem", "layer1", "layer3"]
    net = tw.connect({name: tw.as_stream(n) for name, n in nets.items()}, places, tw.Identity, example=x)
    for name, plain_net in alone.items():
        torch.manual_seed(3)
        expected = plain_net(x)
        torch.manual_seed(3)
        assert torch.equal(net(x, tasks=(name,))[name], expected)
        assert_equal(dict(plain_net.state_dict()), dict(net.stream(name).net.state_dict()))


@pytest.mark.slow
def test_identity_connected_detectors_detect_as_they_do_alone() -> None:
    images, targets = images_and_targets()
    nets = {"a": retinanet().eval(), "b": retinanet().eval()}
    with torch.no_grad():
        alone = {name: net(images) for name, net in nets.items()}
        net = tw.connect({n: tw.as_stream(d) for n, d in nets.items()}, ["layer1", "layer2"], tw.Identity, example=images)
        together = net(images)
    assert all(len(detection["boxes"]) for detections in alone.values() for detection in detections)
    assert_equal(alone, together)
    losses = net.train()((images, targets))
    assert set(losses["a"]) == {"classification", "bbox_regression"}
    sum(losses["a"].values()).backward()


def test_single_task_checkpoints_load_before_and_after_connecting() -> None:
    def build() -> nn.Module:
        return timm.create_model("test_resnet", num_classes=3)

    trained, x = build().eval(), torch.rand(1, 3, 64, 64)
    nn.init.normal_(trained.bn1.bias)
    net = tw.connect({name: tw.as_stream(build()) for name in "ab"}, ["layer1"], tw.CrossStitch, example=x)
    net.stream("a").net.load_state_dict(trained.state_dict(), strict=True)
    prefix = "streams.a.net."
    kept = {key.removeprefix(prefix): value for key, value in net.state_dict().items() if key.startswith(prefix)}
    assert_equal(dict(trained.state_dict()), kept)
    fresh = build()
    fresh.load_state_dict(net.stream("a").net.state_dict(), strict=True)
    assert torch.equal(fresh.eval()(x), trained(x))


def test_stages_lists_every_streams() -> None:
    assert tw.Connected(plain("ab")).stages == {"a": ["s1", "s2", "s3"], "b": ["s1", "s2", "s3"]}


def test_copies_and_pickles() -> None:
    net = tw.connect(plain("ab"), ["s1"], tw.CrossStitch, example=X)
    expected = net(X)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert_equal(expected, twin(X))
        assert not {id(p) for p in net.parameters()} & {id(p) for p in twin.parameters()}


class Penalised(tw.Unit):
    """Asks for the sum of the last weights before it."""

    needs_layer_weights = True

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return features

    def penalty(self, weights) -> Tensor:
        return torch.stack([w.sum() for w in weights]).sum()


def test_penalty_is_the_sum_over_units_of_what_their_layers_weigh() -> None:
    streams = plain("ab")
    assert tw.Connected(streams, [tw.Connection({"a": "s1"}, tw.Identity([]))]).penalty() is None
    places = [{"a": "s1", "b": "s2"}, {"a": "s2"}]
    net = tw.Connected(streams, [tw.Connection(place, Penalised([])) for place in places])
    a, b = streams["a"].net, streams["b"].net
    assert torch.allclose(net.penalty(), a.s1.weight.sum() + b.s2.weight.sum() + a.s2.weight.sum())


class Largest:
    """A task's decoder: the channel of the largest value, at the picture's size."""

    def decode(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        return nn.functional.interpolate(output, size=size).argmax(1)


TASKS = {"a": Largest(), "b": Largest()}


def predictor() -> tw.Connected:
    return tw.connect(plain("ab"), ["s1"], tw.CrossStitch, example=X)


def test_predict_normalises_decodes_and_keeps_modes() -> None:
    net = predictor().train()
    image = torch.randint(0, 256, (3, 9, 7), dtype=torch.uint8)
    predictions = tw.predict(net, TASKS, image)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = ((image / 255 - mean[:, None, None]) / std[:, None, None])[None]
    assert torch.equal(predictions["a"], net(x)["a"].argmax(1)[0])
    assert predictions["b"].shape == (9, 7)
    assert net.training and not predictions["a"].requires_grad
    assert torch.equal(tw.predict(net, TASKS, image / 255)["a"], predictions["a"])


def test_predict_on_a_batch() -> None:
    net = predictor()
    batch = torch.rand(2, 3, 9, 7)
    together = tw.predict(net, TASKS, batch)["a"]
    assert together.shape == (2, 9, 7)
    assert torch.equal(together[1], tw.predict(net, TASKS, batch[1])["a"])


def test_predict_runs_in_eval_mode() -> None:
    net = tw.Connected({"a": tw.Stream(nn.Sequential(nn.Dropout(0.9)), {"s": ["0"]})})
    image = torch.rand(3, 9, 7)
    assert torch.equal(tw.predict(net.train(), TASKS, image)["a"], tw.predict(net, TASKS, image)["a"])


def test_predict_refuses_what_it_cannot_decode_or_read() -> None:
    net = tw.Connected(plain("ab"))
    with pytest.raises(ValueError, match=r"predict needs a task to decode \['b'\] with; got tasks for \['a'\]"):
        tw.predict(net, {"a": Largest()}, torch.rand(3, 9, 7))
    for shape in ((9, 7), (1, 9, 7), (2, 4, 9, 7), (9, 7, 3)):
        with pytest.raises(ValueError, match=r"predict takes RGB \(3, H, W\) or \(B, 3, H, W\), got"):
            tw.predict(predictor(), TASKS, torch.rand(shape))


class Seen:
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.met: list[tuple[int, list[Tensor]]] = []
        self.forked: list[Tensor] = []

    def meets(self, index: int, features: Sequence[Tensor]) -> None:
        self.met.append((index, list(features)))

    def forks(self, feature: Tensor) -> None:
        self.forked.append(feature)


def test_a_watcher_is_shown_what_meets_and_changes_nothing() -> None:
    """The features that go into each unit, those of the fork, and nothing once nobody watches."""
    streams, seen = plain("ab"), Seen()
    net = tw.Connected(streams, [tw.Connection({"a": "s2", "b": "s2"}, Sum([tw.FeatureShape.image(4)] * 2))], trunk="s1")
    expected = net(X)
    with watching(net, seen):
        outputs = net(X)
    net(X)
    assert all(torch.equal(outputs[name], expected[name]) for name in "ab")
    trunk = streams["a"].net.s1(X)
    assert len(seen.forked) == 1 and torch.equal(seen.forked[0], trunk)
    ((index, features),) = seen.met
    assert index == 0 and all(torch.equal(f, streams[name].net.s2(trunk)) for name, f in zip("ab", features, strict=True))
    with watching(net, seen), pytest.raises(ValueError, match="no stream 'c'"):
        net(X, tasks=("c",))
    net(X)
    assert len(seen.met) == 1, "an error ends the watching, too"
