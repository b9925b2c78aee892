"""The monitor of negative transfer: what it sees, that it changes nothing, and that it survives a resume."""

import csv
import itertools
import json
import math

import pytest
import torch
from data.mixture_toys import noise
from torch import nn
from training import toys

from taskweave.data.mixture import Mixture
from taskweave.data.mixture_order import RoundRobin
from taskweave.data.sample import collate
from taskweave.streams.stream import Stream
from taskweave.tasks.task import Task
from taskweave.training import Monitor, Reference, fit
from taskweave.training.monitor.cosines import places_of
from taskweave.units.unit import Identity
from taskweave.weaving.connected import Connected
from taskweave.weaving.plan import Connection
from taskweave.weaving.share import share
from taskweave.weighting.gradient_aggregation import GradientAggregation
from taskweave.weighting.weighting import Fixed

COLUMN = "cosine.body.a|b"


def rows_of(folder, name="monitor.csv"):
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def cosines_of(folder, column=COLUMN):
    return [float(row[column]) for row in rows_of(folder) if row[column]]


def train(folder, net, data=None, *, monitor=None, tasks=toys.TASKS, weighting=None, stop=None, **changes):
    data = toys.ToySamples() if data is None else data
    return fit(
        net, tasks, data, toys.options(**changes), folder=folder, seed=3, weighting=weighting, stop=stop, monitor=monitor
    )


class Weighing(Task):
    """The loss of a linear output: sum(direction * output)."""

    directions = toys.ToyTask.directions

    def __init__(self, *direction):
        self.direction = torch.tensor(direction)[:, None, None]

    @property
    def channels(self):
        return len(self.direction)

    def loss(self, output, target):
        return (self.direction * output).sum() + 0 * target.sum()

    def soft(self, output, size):
        return output

    def harden(self, soft):
        return soft

    def metric(self):
        return toys.MeanError()

    def picture(self, value):
        raise NotImplementedError


class Plain(nn.Module):
    """A stage with a weight, then nothing: the output is the feature."""

    def __init__(self):
        super().__init__()
        self.body, self.last = nn.Conv2d(3, 2, 1), nn.Identity()

    def forward(self, x):
        return self.last(self.body(x))


def trunk_and_tasks(one, other):
    torch.manual_seed(1)
    streams = {name: Stream(Plain(), {"body": ["body"], "last": ["last"]}, head=["last"]) for name in ("a", "b")}
    return share(streams, until="body"), {"a": Weighing(*one), "b": Weighing(*other)}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [((1.0, 2.0), (3.0, 6.0), 1.0), ((1.0, 2.0), (-2.0, -4.0), -1.0), ((1.0, 2.0), (2.0, -1.0), 0.0)],
    ids=["same", "opposed", "orthogonal"],
)
def test_cosine_of_known_gradients_at_the_fork_of_a_trunk(tmp_path, one, other, expected):
    """dL/dz is the task's direction at every pixel of the shared feature z, whatever the losses weigh."""
    net, tasks = trunk_and_tasks(one, other)
    train(
        tmp_path,
        net,
        tasks=tasks,
        monitor=Monitor(cosine_every=2),
        steps=4,
        weighting=Fixed("ab", weights={"a": 5.0, "b": 0.1}),
    )
    rows = rows_of(tmp_path)
    assert [row["step"] for row in rows] == ["2", "4"]
    assert cosines_of(tmp_path, "cosine.fork at body.a|b") == pytest.approx([expected] * 2, abs=1e-6)


def test_cosine_at_a_connection_is_autograds(tmp_path):
    """Against torch.autograd.grad of both losses with respect to both streams' features as one vector."""
    net, samples = toys.network(norm=False, dropout=0.0), toys.ToySamples(4)
    batch = collate([samples[i, 0] for i in range(4)])  # all samples: their order does not matter
    z = [net.stream(name).net.body(batch.image).detach().requires_grad_() for name in ("a", "b")]
    outputs = {n: net.stream(n).net.last(f) for n, f in zip("ab", net.connection(0).unit(z), strict=True)}
    losses = [(outputs[n] - batch.targets[n]).square().mean() for n in "ab"]
    vectors = [torch.cat([g.flatten() for g in torch.autograd.grad(loss, z, retain_graph=True)]) for loss in losses]
    expected = float(torch.dot(*vectors) / (vectors[0].norm() * vectors[1].norm()))
    assert 0.01 < abs(expected) < 0.99
    train(tmp_path, net, samples, monitor=Monitor(cosine_every=1), steps=1)
    assert cosines_of(tmp_path) == pytest.approx([expected], rel=1e-4)


def test_cosine_of_a_mixture_is_of_the_weights_before_the_place(tmp_path):
    """Sets that label one task each: dL/d(both streams' last weights), each from its own batch; the age is told."""
    data = Mixture({"a": noise(4, ["a"]), "b": noise(4, ["b"], start=500)}, RoundRobin())
    net = toys.network(norm=False, dropout=0.0)
    weights = [net.stream(name).net.body[0].weight for name in ("a", "b")]
    vectors = []
    for name, draw in {"a": 2, "b": 1}.items():  # of the steps 5 and 4
        batch = collate([data.sets[name][i, draw] for i in range(4)])
        loss = (net(batch.image)[name] - batch.targets[name]).square().mean()
        vectors.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights)]))
    expected = float(torch.dot(*vectors) / (vectors[0].norm() * vectors[1].norm()))
    assert 0.01 < abs(expected) < 0.99
    tiny = {"optimizer": {"use": "sgd", "lr": 1e-12}}  # the weights stay: both batches meet the same network
    train(tmp_path, net, data, monitor=Monitor(cosine_every=4), steps=8, **tiny)
    # due at steps 4 and 8; the other task's batch comes one step later, for the second never
    assert [(row["step"], row["age"]) for row in rows_of(tmp_path)] == [("5", "1")]
    assert cosines_of(tmp_path) == pytest.approx([expected], rel=1e-4)


def test_frozen_parts_and_single_tasks_have_no_cosine(tmp_path):
    net = toys.network()
    for parameter in net.stream("a").net.body.parameters():
        parameter.requires_grad_(False)
    train(tmp_path / "half", net, monitor=Monitor(cosine_every=4), weighting=None)
    assert len(cosines_of(tmp_path / "half")) == 2
    train(tmp_path / "one", toys.network(["a"]), tasks={"a": toys.ToyTask()}, monitor=Monitor(cosine_every=1))
    assert not (tmp_path / "one" / "monitor.csv").exists() and not (tmp_path / "one" / "warnings.json").exists()


def test_places_are_named_by_stage_once_each():
    both, alone = toys.Mix().shapes, toys.Mix(1).shapes
    for places, expected in (
        ([{"a": "body", "b": "body"}, {"a": "last", "b": "last"}], ["body", "last"]),
        ([{"a": "body"}, {"a": "last", "b": "body"}], ["a.last+b.body"]),
        ([{"a": "body", "b": "body"}, {"a": ("body",), "b": ("body",)}], ["body", "body (2)"]),
    ):
        streams = {"a": toys.stream(), "b": toys.stream()}
        connections = [Connection(place, Identity(both if len(place) > 1 else alone)) for place in places]
        assert [place.name for place in places_of(Connected(streams, connections))] == expected


REFERENCES = {"a": Reference("single a", (2.0, 4.0, 6.0, 8.0), (2.0, 2.0, 1.0, 1.0))}


def test_gap_is_the_geometric_mean_over_five_rows_of_the_log(tmp_path):
    train(tmp_path, toys.network(), monitor=Monitor(REFERENCES, cosine_every=0), steps=12, log_every=2)
    losses = [float(row["loss.a"]) for row in rows_of(tmp_path, "log.csv")]
    ratios = [loss / mark for loss, mark in zip(losses, REFERENCES["a"].losses, strict=False)]  # it ends at step 8
    expected = [math.prod(ratios[:n]) ** (1 / n) - 1 for n in range(1, 5)]
    rows = rows_of(tmp_path)
    assert list(rows[0]) == ["step", "gap.a"] and [row["step"] for row in rows] == ["2", "4", "6", "8"]
    assert [float(row["gap.a"]) for row in rows] == pytest.approx(expected, rel=1e-9)


def test_a_held_reference_keeps_its_last_level():
    curve = Reference("single", (10.0, 20.0), (4.0, 1.0), held=True)
    assert curve.level(10, 20, window=5) == pytest.approx(0.0)
    assert curve.level(30, 40, window=2) == pytest.approx(math.log(2))  # sqrt(4 * 1)
    assert curve.level(30, 40, window=1) == pytest.approx(0.0)
    assert Reference("single", (10.0,), (4.0,)).level(30, 40, window=5) is None
    assert Reference("single", (10.0,), (0.0,)).level(0, 40, window=5) is None


def test_a_curve_needs_a_loss_for_each_step():
    with pytest.raises(ValueError, match="got 2 steps and 1 losses"):
        Reference("single", (1.0, 2.0), (1.0,))
    with pytest.raises(ValueError, match="got -1"):
        Monitor(cosine_every=-1)


def mixture(**options):
    return Mixture({"a": noise(8, ["a"]), "b": noise(8, ["b"], start=500)}, RoundRobin(), **options)


HARD = {
    "plain, dropout and batch norms": {},
    "average, accumulation, clipping": {"ema": 0.9, "accumulate": 3, "clip": 0.5},
    "bf16 and channels last": {"precision": "bf16", "memory_format": "channels_last"},
    "frozen at first": {"freeze": {"connections": 5}},
    "frozen norms": {"batch_norm": "frozen"},
}
DATA = {"partly labelled": lambda: toys.ToySamples(labels={"b": range(5)}), "mixture": mixture}


@pytest.mark.parametrize(("changes", "data"), itertools.product(HARD.values(), DATA.values()))
def test_watched_training_ends_bit_equal(tmp_path, changes, data):
    states = []
    for monitor in (None, Monitor(REFERENCES, cosine_every=1)):
        net = toys.network()
        train(tmp_path / str(monitor is None), net, data(), monitor=monitor, log_every=2, **changes)
        states.append(toys.state_of(net))
    toys.assert_same_state(*states)
    assert cosines_of(tmp_path / "False")


@pytest.mark.slow
def test_watched_training_with_aggregated_gradients_and_own_statistics_ends_bit_equal(tmp_path):
    aggregation = pytest.importorskip("torchjd.aggregation")
    for data, changes in ((toys.ToySamples(), {"accumulate": 2}), (mixture(), {"batch_norm": "per_data_set"})):
        states = []
        for monitor in (None, Monitor(cosine_every=1)):
            net, folder = toys.network(), tmp_path / f"{type(data).__name__}{monitor is None}"
            weighting = GradientAggregation.of(["a", "b"], aggregation.UPGrad()) if "accumulate" in changes else None
            train(folder, net, data, monitor=monitor, weighting=weighting, **changes)
            states.append(toys.state_of(net))
        toys.assert_same_state(*states)


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_resumed_watch_writes_what_an_unbroken_one_does(tmp_path, data):
    """Both stops fall between two looks of a mixture: the first task's gradient is in the checkpoint."""
    steps = tuple(range(1, 41))
    references = {name: Reference(f"single {name}", steps, (0.1,) * 40) for name in "ab"}
    monitor = Monitor(references, cosine_every=4)
    usual = {"steps": 40, "log_every": 1, "monitor": monitor}
    train(tmp_path / "whole", toys.network(), data(), **usual)
    for steps in (4, 7, None):
        stop = None if steps is None else toys.StopAfter(steps)
        train(tmp_path / "parts", toys.network(), data(), stop=stop, **usual)
    for name in ("monitor.csv", "warnings.json"):
        assert (tmp_path / "parts" / name).read_text() == (tmp_path / "whole" / name).read_text()
    assert cosines_of(tmp_path / "whole") and json.loads((tmp_path / "whole" / "warnings.json").read_text())


def test_a_reference_that_is_there_by_now_leaves_what_was_written_before(tmp_path):
    usual = {"steps": 8, "log_every": 2}
    train(tmp_path, toys.network(), monitor=Monitor(cosine_every=2), stop=toys.StopAfter(4), **usual)
    before = cosines_of(tmp_path)
    train(tmp_path, toys.network(), monitor=Monitor(REFERENCES, cosine_every=2), **usual)
    rows = rows_of(tmp_path)
    assert [(row["step"], bool(row["gap.a"])) for row in rows] == [("2", False), ("4", False), ("6", True), ("8", True)]
    assert len(before) == 2 and cosines_of(tmp_path)[:2] == before and len(cosines_of(tmp_path)) == 4
