"""Training on data sets that label different tasks."""

import csv

import pytest
import torch
from data.mixture_toys import noise
from torch import nn
from training import toys

from taskweave.data.mixture import Mixture
from taskweave.data.mixture_order import ConstantInterval, Proportional, RoundRobin
from taskweave.data.sample import collate
from taskweave.features import FeatureShape
from taskweave.streams.stream import Stream
from taskweave.training import fit, validate
from taskweave.units.cross_connection import CrossConnection
from taskweave.weaving.connected import Connected
from taskweave.weaving.plan import Connection
from taskweave.weaving.share import share
from taskweave.weighting.weighting import Fixed

DECAY = {"streams": 0.1, "heads": 0.1, "connections": 0.1, "norms_and_biases": True}


def mixture(schedule=None, *, size=8, **options):
    sets = {"a": noise(size, ["a"]), "b": noise(size, ["b"], start=500)}
    return Mixture(sets, schedule or RoundRobin(), **options)


def train(folder, net, data, *, tasks=toys.TASKS, weighting=None, trained=None, validation=None, stop=None, **changes):
    return fit(
        net,
        tasks,
        data,
        toys.options(**changes),
        folder=folder,
        seed=0,
        weighting=weighting,
        trained=trained,
        validation=validation,
        stop=stop,
    )


class Tailed(nn.Module):
    """Two stages of convolution and batch norm, and a last layer: the second belongs to the task alone."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.tail = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.ReLU())
        self.last = nn.Conv2d(4, 1, 1)

    def forward(self, x):
        return self.last(self.tail(self.body(x)))


def cross_connected():
    torch.manual_seed(1)
    stages = {name: [name] for name in ("body", "tail", "last")}
    streams = {name: Stream(Tailed(), stages, head=["last"]) for name in ("a", "b")}
    unit = CrossConnection([FeatureShape.image(4, 6, 6)] * 2)
    return Connected(streams, [Connection({"a": "body", "b": "body"}, unit)])


@pytest.mark.parametrize(
    "optimizer", [{"use": "sgd", "lr": 0.01}, {"use": "adamw", "lr": 0.01}], ids=["momentum SGD", "AdamW"]
)
def test_absent_head_is_bit_identical_after_100_steps_and_its_body_moves(tmp_path, optimizer):
    """Three steps on b, which leave momentum behind, then 100 on a."""
    sets = {"b": noise(8, ["b"], start=500), "a": noise(8, ["a"])}
    data, net = Mixture(sets, ConstantInterval(batches={"b": 3, "a": 200})), cross_connected()
    start = toys.state_of(net)
    for stop in (toys.StopAfter(3), None):
        before = toys.state_of(net)
        result = train(tmp_path, net, data, steps=103, stop=stop, optimizer=optimizer, weight_decay=DECAY)
        if stop is not None:
            assert result.step == 3
    after = toys.state_of(net)
    own = [name for name in start if name.startswith(("streams.b.net.tail", "streams.b.net.last"))]
    own += [name for name in start if name.startswith("connections.0.unit.convolutions.") and link_of(net, name) == (0, 1)]
    assert len(own) == 11
    assert [name for name in own if not torch.equal(before[name], after[name])] == []
    assert [name for name in own if torch.equal(before[name], start[name])] == []  # all of it had moved before
    moving = [name for name in start if ".net.body." in name]
    assert [name for name in moving if torch.equal(before[name], after[name])] == []


def link_of(net, name):
    """(source, destination) of a cross-connection's parameter."""
    unit = net.connection(0).unit
    return dict(zip(unit.convolutions, unit.links, strict=True))[name.split(".")[4]]


def test_link_to_the_absent_stream_rests_and_the_link_from_it_learns(tmp_path):
    net = cross_connected()
    before = toys.state_of(net)
    unit = net.connection(0).unit
    (to_b,) = [c for (s, t), c in zip(unit.links, unit.convolutions.values(), strict=True) if (s, t) == (0, 1)]
    (to_a,) = [c for (s, t), c in zip(unit.links, unit.convolutions.values(), strict=True) if (s, t) == (1, 0)]
    weights = to_b.weight.clone(), to_a.weight.clone()
    train(tmp_path, net, mixture(), trained=["a"], steps=1, weight_decay=DECAY)
    assert torch.equal(to_b.weight, weights[0]) and not torch.equal(to_a.weight, weights[1])
    assert torch.equal(before["streams.b.net.last.weight"], net.stream("b").net.last.weight)


def test_in_a_shared_network_the_absent_head_rests_and_the_trunk_learns(tmp_path):
    """Hard sharing: b has a turn, then nineteen on a."""
    streams = {
        name: Stream(Tailed(), {stage: [stage] for stage in ("body", "tail", "last")}, head=["last"]) for name in "ab"
    }
    sets = {"b": noise(8, ["b"], start=500), "a": noise(8, ["a"])}
    data, net = Mixture(sets, ConstantInterval(batches={"b": 1, "a": 200})), share(streams, until="body")
    for stop in (toys.StopAfter(1), None):
        before = toys.state_of(net)
        train(tmp_path, net, data, steps=20, stop=stop, weight_decay=DECAY)
    after = toys.state_of(net)
    own = [name for name in before if name.startswith("streams.b.") and ".body." not in name]
    assert len(own) == 9 and not [name for name in own if not torch.equal(before[name], after[name])]
    trunk = [name for name in before if ".body." in name]
    assert trunk and not [name for name in trunk if torch.equal(before[name], after[name])]


def test_a_single_network_learns_from_several_sets_and_skips_those_of_other_tasks(tmp_path):
    """Step 0 is on b, which does not label a: the weights stay; step 1 moves them."""
    net = Connected({"a": toys.stream(norm=False, dropout=0.0)})
    data = Mixture({"b": noise(4, ["b"], start=500), "a": noise(4, ["a"])}, RoundRobin())
    before = toys.state_of(net)
    train(tmp_path, net, data, tasks={"a": toys.ToyTask()}, steps=2, stop=toys.StopAfter(1), weight_decay=DECAY)
    toys.assert_same_state(before, toys.state_of(net))
    train(tmp_path, net, data, tasks={"a": toys.ToyTask()}, steps=2, weight_decay=DECAY)
    assert not torch.equal(before["streams.a.net.last.weight"], net.stream("a").net.last.weight)


def by_hand(net, loss, *, lr=0.01):
    names, parameters = zip(*net.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    moved = zip(names, parameters, gradients, strict=True)
    return {name: p.detach() if g is None else p.detach() - lr * g for name, p, g in moved}


def batch_of(data, number, size=4):
    (order,) = data.order(size, seed=0, first=number, last=number + 1)
    return collate([data[at] for at in order])


def test_a_step_is_on_lambda_times_the_loss_that_there_is(tmp_path):
    """RoundRobin: step 0 is w - lr dL_a/dw, step 1 w - lr * .3 dL_b/dw."""
    data, net = mixture(), toys.network(norm=False, dropout=0.0)
    for number, (task, factor) in enumerate((("a", 1.0), ("b", 0.3))):
        batch = batch_of(data, number)
        loss = factor * (net(batch.image)[task] - batch.targets[task]).square().mean()
        expected = by_hand(net, loss)
        train(tmp_path, net, data, weighting=Fixed("ab", weights={"a": 1.0, "b": 0.3}), steps=2, stop=toys.StopAfter(1),
              optimizer={"use": "sgd", "lr": 0.01, "momentum": 0})  # fmt: skip
        for name, parameter in net.named_parameters():
            torch.testing.assert_close(parameter.detach(), expected[name], rtol=1e-5, atol=1e-7)


def test_mixed_batches_count_labelled_samples_only(tmp_path):
    data = mixture(ConstantInterval(batches={"a": 3, "b": 1}), mixed=True)
    net, batch = toys.network(norm=False, dropout=0.0), batch_of(data, 0)
    assert batch.sources == ("a", "a", "a", "b")
    outputs = net(batch.image)
    loss = (outputs["a"][:3] - batch.targets["a"]).square().mean() + (outputs["b"][3:] - batch.targets["b"]).square().mean()
    expected = by_hand(net, loss)
    train(tmp_path, net, data, steps=1)
    for name, parameter in net.named_parameters():
        torch.testing.assert_close(parameter.detach(), expected[name], rtol=1e-5, atol=1e-7)


def test_streams_that_exchange_nothing_are_the_networks_alone(tmp_path):
    """With an identity stitch that stays, a's eight turns of sixteen make a what eight steps alone make it: the absent
    stream gets gradients of exactly 0, which neither momentum nor decay may take for gradients."""
    changes = {"weight_decay": DECAY, "optimizer": {"use": "sgd", "lr": 0.05}}
    unit = toys.Mix()
    unit.matrix = nn.Parameter(torch.eye(2), requires_grad=False)
    net = toys.network(unit=unit, norm=False, dropout=0.0)
    alone = Connected({"a": toys.stream(norm=False, dropout=0.0)})
    alone.load_state_dict({k: v.clone() for k, v in net.state_dict().items() if k.startswith("streams.a.")})
    train(tmp_path / "both", net, mixture(), steps=16, **changes)
    train(tmp_path / "alone", alone, mixture().sets["a"], tasks={"a": toys.ToyTask()}, steps=8, **changes)
    toys.assert_same_state(toys.state_of(net.streams["a"]), toys.state_of(alone.streams["a"]))


HARD = {
    "constant interval": (ConstantInterval(batches=2), {}, {"ema": 0.9}),
    "drawn": (Proportional(), {"batch_sizes": {"a": 3, "b": 2}}, {"accumulate": 3, "clip": 0.5}),
    "mixed": (ConstantInterval(batches=3), {"mixed": True}, {"weight_decay": 0.1}),
    "statistics per data set": (
        ConstantInterval(batches=2),
        {},
        {"batch_norm": "per_data_set", "choose": "best", "validate_every": 2, "ema": 0.5},
    ),
    "statistics per data set, last": (RoundRobin(), {}, {"batch_norm": "per_data_set"}),
    "frozen norms": (RoundRobin(), {}, {"batch_norm": "frozen", "freeze": {"streams": 3}}),
}


@pytest.mark.parametrize(("schedule", "options", "changes"), HARD.values(), ids=HARD)
def test_resumed_ends_bit_equal(tmp_path, schedule, options, changes):
    states, results = [], []
    for name, stops in (("whole", []), ("parts", [3, 2])):
        for steps in (*stops, None):
            net = toys.network()
            torch.rand(7)  # whatever else happens between two runs
            result = train(
                tmp_path / name,
                net,
                mixture(schedule, size=5, **options),
                validation=mixture(size=3) if "validate_every" in changes else None,
                stop=None if steps is None else toys.StopAfter(steps),
                **changes,
            )
            assert result.finished is (steps is None)
        states.append(toys.state_of(net))
        results.append(result)
    toys.assert_same_state(*states)
    assert results[0].history == results[1].history and results[0].metrics == results[1].metrics
    if results[0].statistics is not None:
        assert results[0].statistics.read_bytes() == results[1].statistics.read_bytes()
    assert {p.name for p in (tmp_path / "whole").iterdir()} == {p.name for p in (tmp_path / "parts").iterdir()}
    assert not [p for p in (tmp_path / "whole").iterdir() if p.name.startswith(("best", "checkpoint"))]


def test_another_mixture_is_another_training(tmp_path):
    train(tmp_path, toys.network(), mixture(ConstantInterval(batches=2)), stop=toys.StopAfter(2))
    with pytest.raises(ValueError, match=r"belongs to another training; mixture: .*'batches': 2.* there, .*: 3"):
        train(tmp_path, toys.network(), mixture(ConstantInterval(batches=3)))


def test_log_names_what_there_was(tmp_path):
    """Sixteen samples in batches of four: an epoch is four steps, whosever they are."""
    train(tmp_path, toys.network(), mixture(ConstantInterval(batches=2)), steps=8, log_every=2)
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [(row["epoch"], bool(row["loss.a"]), bool(row["loss.b"])) for row in rows] == [
        ("0.5000", True, False),
        ("1.0000", False, True),
        ("1.5000", True, False),
        ("2.0000", False, True),
    ]


def test_validation_reads_sets_of_other_sizes_in_other_batches():
    net = toys.network()
    sets = {"a": noise(5, ["a"]), "b": noise(3, ["b"], side=8)}
    found = validate(net, toys.TASKS, Mixture(sets, RoundRobin()), batch_size=2)
    net.eval()
    with torch.no_grad():
        samples = [sets["b"][i] for i in range(3)]
        errors = [(net(sample["image"][None])["b"][0] - sample["b"]).abs().mean() for sample in samples]
    assert found["b"]["error"] == pytest.approx(float(sum(errors)) / 3, rel=1e-5)


def test_what_fit_refuses_of_mixtures(tmp_path):
    only_a = Mixture({"x": noise(4, ["a"]), "y": noise(4, ["a"])}, RoundRobin())
    with pytest.raises(ValueError, match=r"no data set of the mixture is labelled for \['b'\]: 'x' is labelled"):
        train(tmp_path, toys.network(), only_a)
    train(tmp_path / "a", toys.network(), only_a, trained=["a"], steps=1)
    with pytest.raises(ValueError, match=r"reads only the data sets \['a'\] of the mixture, and none labelled for \['b'\]"):
        train(tmp_path, toys.network(), mixture(ConstantInterval(batches=100)))
    with pytest.raises(ValueError, match=r"labelled for \['b'\]"):
        train(tmp_path, toys.network(), mixture(), validation=only_a)
    lacking = Mixture({"a": noise(4, ["a"]), "b": noise(4, ["b"], lacking=range(4))}, RoundRobin())
    with pytest.raises(ValueError, match=r"no sample of a whole epoch was labelled for \['b'\]"):
        train(tmp_path / "lacking", toys.network(), lacking)
    for data in (toys.ToySamples(), mixture(mixed=True)):
        with pytest.raises(ValueError, match="'per_data_set' needs a Mixture whose batches are of one data set each"):
            train(tmp_path, toys.network(), data, batch_norm="per_data_set")
    with pytest.raises(ValueError, match="statistics per data set need batch norms, the network has none"):
        train(tmp_path / "none", toys.network(norm=False), mixture(), batch_norm="per_data_set")
