"""Weightings inside trainings: what they are told, when, and what becomes of gradients, checkpoints and logs."""

import csv
import json
import math

import pytest
import torch
from data.mixture_toys import noise
from torchjd import aggregation
from training import toys
from training.ranks_work import HoledTask

from taskweave.data.mixture import Mixture
from taskweave.data.mixture_order import RoundRobin
from taskweave.training import NonFiniteLossError, WrongCheckpointError, fit
from taskweave.training.batches import Pace
from taskweave.weighting import DynamicWeightAverage, Fixed, GeometricMean, GradientAggregation, Uncertainty, VarianceRatio

pytestmark = pytest.mark.slow

BOTH = ["a", "b"]


def halves():
    return Fixed(BOTH, weights=dict.fromkeys(BOTH, 0.5))


def aggregated(build, **options):
    return lambda: GradientAggregation.of(BOTH, build(), **options)


WEIGHTINGS = {
    "dwa": lambda: DynamicWeightAverage(BOTH),
    "dwa per iteration": lambda: DynamicWeightAverage(BOTH, every="iteration"),
    "uncertainty": lambda: Uncertainty({"a": toys.Form(True), "b": toys.Form(False)}, learning_rate=0.05),
    "geometric mean": lambda: GeometricMean(BOTH),
    "variance ratio": lambda: VarianceRatio(BOTH, window=1, learning_rate=0.1),
    "upgrad": aggregated(aggregation.UPGrad),
    "pcgrad": aggregated(aggregation.PCGrad, over="all"),
    "gradvac": aggregated(aggregation.GradVac),
    "nash-mtl": aggregated(lambda: aggregation.NashMTL(n_tasks=2)),
}
every_weighting = pytest.mark.parametrize("build", WEIGHTINGS.values(), ids=WEIGHTINGS)


def train(folder, weighting, *, net=None, data=None, tasks=toys.TASKS, stop=None, **changes):
    net = toys.network() if net is None else net
    data = toys.ToySamples() if data is None else data
    result = fit(net, tasks, data, toys.options(**changes), folder=folder, seed=3, weighting=weighting, stop=stop)
    return net, result


def rows(folder):
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def logged(folder, column):
    return [float(row[column]) for row in rows(folder) if row[column]]


@every_weighting
def test_resumed_ends_bit_equal(tmp_path, build):
    """Some samples have one label; epochs end after steps 3 and 5, and so do the first two parts."""
    changes = {"steps": 8, "log_every": 1, "accumulate": 2, "batch_size": 2, "weight_decay": 0.1}
    labels = {"b": range(5)}
    whole, _ = train(tmp_path / "whole", build(), data=toys.ToySamples(labels=labels), **changes)
    for steps in (3, 2, 9):
        torch.rand(7)
        stop = toys.StopAfter(steps)
        parts, last = train(tmp_path / "parts", build(), data=toys.ToySamples(labels=labels), stop=stop, **changes)
    assert last.finished
    toys.assert_same_state(toys.state_of(whole), toys.state_of(parts))
    for row, other in zip(rows(tmp_path / "whole"), rows(tmp_path / "parts"), strict=True):
        assert {**row, "seconds": ""} == {**other, "seconds": ""}


@every_weighting
def test_data_sets_that_label_one_task_each(tmp_path, build):
    """A batch of one set moves nothing of the other's; both tasks learn, and their weights are logged."""
    data = Mixture({"a": noise(8, ["a"]), "b": noise(8, ["b"], start=500)}, RoundRobin())
    net = toys.network(norm=False, dropout=0.0)
    before = toys.state_of(net)
    changes = {"log_every": 1, "optimizer": {"use": "adam", "lr": 0.01}, "weight_decay": 0.1}
    train(tmp_path, build(), net=net, data=data, stop=toys.StopAfter(1), **changes)
    first = toys.state_of(net)
    assert torch.equal(first["streams.b.net.last.weight"], before["streams.b.net.last.weight"])
    assert not torch.equal(first["streams.a.net.last.weight"], before["streams.a.net.last.weight"])
    train(tmp_path, build(), net=net, data=data, **changes)
    last = toys.state_of(net)
    assert not torch.equal(last["streams.b.net.last.weight"], before["streams.b.net.last.weight"])
    for task in BOTH:
        values = logged(tmp_path, f"weight.{task}")
        assert len(values) == 4 and all(0 <= value < math.inf for value in values)


def test_both_tasks_of_accumulated_batches_meet_in_the_aggregator(tmp_path):
    """Batches of a and of b make one step: the weights are Constant's, which a step with one task never asks for."""
    data = Mixture({"a": noise(8, ["a"]), "b": noise(8, ["b"], start=500)}, RoundRobin())
    build = aggregated(lambda: aggregation.Constant(torch.tensor([3.0, 0.5])))
    for accumulate, expected in ((1, 1.0), (2, 3.0)):
        folder = tmp_path / str(accumulate)
        train(folder, build(), data=data, log_every=1, accumulate=accumulate, steps=2)
        assert logged(folder, "weight.a")[0] == expected


def test_dwa_weighs_by_the_logged_losses_of_whole_epochs(tmp_path):
    """10 samples in batches of 4: epochs end with steps 3, 5 and 8. Weights by the formula, from the log's own losses."""
    train(tmp_path, DynamicWeightAverage(BOTH), steps=10, log_every=1)
    losses = {task: logged(tmp_path, f"loss.{task}") for task in BOTH}
    weights = [logged(tmp_path, f"weight.{task}") for task in BOTH]
    first, second, third = slice(0, 3), slice(3, 5), slice(5, 8)

    def expected(older, newer):
        r = [sum(ls[newer]) / len(ls[newer]) / (sum(ls[older]) / len(ls[older])) for ls in losses.values()]
        raw = [math.exp(x / 2) for x in r]
        return [2 * x / sum(raw) for x in raw]

    assert [w[:4] for w in weights] == [[1.0] * 4] * 2
    for step in (4, 5, 6):  # the row of step 5 tells the weights that step 6 has
        assert [w[step] for w in weights] == pytest.approx(expected(first, second), rel=1e-6)
    assert [w[7] for w in weights] == pytest.approx(expected(second, third), rel=1e-6)
    assert weights[0][4] != pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("whole", "done", "ends"),
    [(10, 4, [3, 5, 8, 10]), (10, 5, [2, 4, 6, 8, 10]), (10, 25, list(range(1, 11))), (8, 3, [3, 6, 8])],
)
def test_epochs_end_with_their_last_sample(whole, done, ends):
    pace = Pace(done, whole, None)
    assert [step for step in range(1, 11) if pace.ends_epoch(step)] == ends


def test_mean_of_gradients_is_the_gradient_of_the_mean(tmp_path):
    """Over all parameters, with accumulation, clipping, decay, momentum, and a penalty of none: the same network."""
    changes = {"accumulate": 2, "batch_size": 2, "clip": 0.5, "weight_decay": 0.1, "steps": 6}
    nets = []
    for weighting in (aggregated(aggregation.Mean, over="all")(), halves()):
        net, _ = train(tmp_path / type(weighting).__name__, weighting, net=toys.network(dropout=0.0), **changes)
        nets.append(toys.state_of(net))
    for name, value in nets[0].items():
        torch.testing.assert_close(value, nets[1][name], rtol=1e-5, atol=1e-6, msg=name)


def test_mean_over_what_is_shared_leaves_each_head_its_own_gradient(tmp_path):
    """One step of SGD: bodies and connection follow the mean, heads their own task's whole gradient."""
    start = toys.state_of(toys.network(norm=False, dropout=0.0))
    moved = {}
    for name, weighting in {
        "shared": aggregated(aggregation.Mean)(),
        "fixed": halves(),
    }.items():
        net, _ = train(tmp_path / name, weighting, net=toys.network(norm=False, dropout=0.0), steps=1)
        moved[name] = {key: value - start[key] for key, value in toys.state_of(net).items()}
    for key, step in moved["fixed"].items():
        factor = 2.0 if ".last." in key else 1.0
        torch.testing.assert_close(moved["shared"][key], factor * step, rtol=1e-4, atol=1e-7, msg=key)
        assert bool(step.any()), key


def test_a_units_penalty_is_added_once(tmp_path):
    class Pulled(toys.Mix):
        def penalty(self, weights):
            return 5.0 * self.matrix.square().sum()

    found = []
    for name, weighting in {
        "gradients": aggregated(aggregation.Sum, over="all")(),
        "losses": Fixed("ab"),
    }.items():
        net, _ = train(tmp_path / name, weighting, net=toys.network(unit=Pulled(), norm=False, dropout=0.0), steps=3)
        found.append(net.connection(0).unit.matrix.detach())
    torch.testing.assert_close(*found)
    assert bool((found[0].diagonal() < 0.7).all())  # from .9; the penalty's gradient is 10 w


@pytest.mark.parametrize("build", [WEIGHTINGS["upgrad"], WEIGHTINGS["uncertainty"]], ids=["upgrad", "uncertainty"])
def test_bf16(tmp_path, build):
    net, result = train(tmp_path, build(), precision="bf16", steps=3)
    assert result.finished and all(bool(torch.isfinite(p).all()) for p in net.parameters())


def test_a_batch_without_a_valid_pixel_has_no_loss(tmp_path):
    """b's targets are there, all invalid, in the second batch: its head stays, and no mean of losses knows of it."""

    class Samples(toys.ToySamples):
        def __getitem__(self, at):
            sample = super().__getitem__(at)
            return {**sample, "b": -sample["b"].abs() if len(self.drawn) > 4 else sample["b"]}

    told = []
    weighting = GeometricMean(BOTH)
    weighting.observe = told.append
    net = toys.network(norm=False, dropout=0.0)
    tasks = {"a": HoledTask(), "b": HoledTask()}
    changes = {"optimizer": {"use": "adam", "lr": 0.01}, "steps": 2, "log_every": 1, "weight_decay": 0.1}
    train(tmp_path, weighting, net=net, data=Samples(), tasks=tasks, stop=toys.StopAfter(1), **changes)
    before = toys.state_of(net)
    data = Samples()
    data.drawn = [None] * 4
    train(tmp_path, weighting, net=net, data=data, tasks=tasks, **changes)
    after = toys.state_of(net)
    assert [set(losses) for losses in told] == [{"a", "b"}, {"a"}]
    assert torch.equal(before["streams.b.net.last.weight"], after["streams.b.net.last.weight"])
    assert not torch.equal(before["streams.a.net.last.weight"], after["streams.a.net.last.weight"])
    assert [row["loss.b"] != "" for row in rows(tmp_path)] == [True, False]


class ZeroTask(toys.ToyTask):
    """Nothing to learn: a constant 0, though there are labels."""

    def loss(self, output, target):
        return output.sum() * 0.0


@every_weighting
def test_a_task_whose_loss_is_always_0(tmp_path, build):
    net = toys.network(norm=False, dropout=0.0)
    before = toys.state_of(net)
    train(tmp_path, build(), net=net, tasks={"a": toys.ToyTask(), "b": ZeroTask()}, log_every=1, steps=12)
    after = toys.state_of(net)
    assert all(bool(torch.isfinite(value).all()) for value in after.values())
    assert not torch.allclose(before["streams.a.net.last.weight"], after["streams.a.net.last.weight"], atol=1e-4)
    assert all(math.isfinite(value) for task in BOTH for value in logged(tmp_path, f"weight.{task}"))


def test_its_own_rate(tmp_path):
    """Of the log variances, whatever the base rate; the schedule's factor applies to it."""
    schedule = {"use": "step", "every": 4, "factor": 0.5}
    train(tmp_path, WEIGHTINGS["uncertainty"](), log_every=4, schedule=schedule, weight_decay=0.1)
    assert logged(tmp_path, "lr.weighting") == pytest.approx([0.05, 0.025])


@pytest.mark.filterwarnings("ignore:VarianceRatio goes by")
def test_w_moves_after_the_network_by_an_optimiser_of_its_own(tmp_path):
    """Step 1 is that of eq. 4 halved, though W then moves far; all further W follow from the logged losses, whatever the
    schedule of the network's rate, which no group of W has."""

    def build():
        return VarianceRatio(BOTH, window=1, learning_rate=0.5, optimizer="sgd")

    halved, _ = train(tmp_path / "fixed", halves(), net=toys.network(dropout=0.0), steps=1)
    first, _ = train(tmp_path / "first", build(), net=toys.network(dropout=0.0), steps=1)
    toys.assert_same_state(toys.state_of(halved), toys.state_of(first))
    train(tmp_path / "all", build(), steps=8, log_every=1, schedule={"use": "step", "every": 2, "factor": 0.1})
    assert "lr.weighting" not in rows(tmp_path / "all")[0]
    alone, seen = build(), []
    for step, row in enumerate(rows(tmp_path / "all"), start=1):
        alone.observe({task: float(row[f"loss.{task}"]) for task in BOTH})
        if step in (3, 5, 8):  # 10 samples in batches of 4
            alone.end_epoch()
        assert [float(row[f"weight.{task}"]) for task in BOTH] == pytest.approx(list(alone.weights().values()), rel=1e-9)
        seen.append(row["weight.a"])
    assert abs(float(seen[0]) - 0.5) > 1e-3 and len(set(seen)) == 8


def test_a_window_longer_than_the_training_warns(tmp_path):
    """10 samples, 8 steps of 4: 3.2 epochs."""
    for weighting in (VarianceRatio(BOTH, window=5), VarianceRatio(BOTH, window=3)):
        with pytest.warns(UserWarning, match=r"VarianceRatio goes by the losses of \d whole epochs, the training has 3.2"):
            train(tmp_path / str(weighting.epochs_needed), weighting)
    with pytest.warns(UserWarning, match="DynamicWeightAverage goes by the losses of 2 whole epochs, the training has 2"):
        train(tmp_path / "dwa", DynamicWeightAverage(BOTH), steps=5)


def test_a_window_that_fits_does_not_warn(tmp_path, recwarn):
    train(tmp_path, VarianceRatio(BOTH, window=2))
    assert not [warning for warning in recwarn if "whole epochs" in str(warning.message)]


def test_a_weighting_for_other_tasks_is_refused_at_once(tmp_path):
    with pytest.raises(ValueError, match=r"GeometricMean is for the tasks \['a'\] and has no weight for \['b'\]"):
        train(tmp_path, GeometricMean(["a"]))
    assert not (tmp_path / "log.csv").exists()


def test_a_folder_of_another_weighting_is_refused(tmp_path):
    train(tmp_path, GeometricMean(BOTH), steps=2)
    known_by = json.loads((tmp_path / "finished.json").read_text())["known_by"]
    assert known_by["weighting"] == {"kind": "GeometricMean", "smallest": 1e-8}
    with pytest.raises(WrongCheckpointError, match="weighting"):
        train(tmp_path, GeometricMean(BOTH, smallest=1e-3), steps=2)
    with pytest.raises(WrongCheckpointError, match="weighting"):
        train(tmp_path, None, steps=2)


def test_weights_as_printed_that_diverge_stop_the_training(tmp_path):
    """W = (1, -1), where learning it as printed may lead: the sum that eq. 5 divides by is 0."""
    with pytest.warns(UserWarning, match="nothing keeps"):
        weighting = VarianceRatio(BOTH, window=1, literal=True)
    state = weighting.state_dict()
    state["_extra_state"]["raw"] = torch.tensor([1.0, -1.0])
    weighting.load_state_dict(state)
    with pytest.raises(NonFiniteLossError, match="weighted loss"):
        train(tmp_path, weighting, steps=2)
