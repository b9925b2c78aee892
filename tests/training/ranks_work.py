"""What each of two processes does in `test_ranks`; imported by name there and in the processes."""

from __future__ import annotations

from pathlib import Path

import torch
from data.mixture_toys import noise
from torch import nn
from torchjd import aggregation
from training import toys

from taskweave.data.mixture import Mixture
from taskweave.data.mixture_order import ConstantInterval
from taskweave.tasks.task import Task
from taskweave.training import fit
from taskweave.training.fabric import Ranks
from taskweave.weighting import DynamicWeightAverage, GeometricMean, GradientAggregation, Uncertainty, VarianceRatio

FOUND = "found.pt"
HOLES = (0, 3, 5)


class HoledTask(toys.ToyTask):
    """The mean over positive targets: every sample has another number of them."""

    def loss(self, output, target):
        known = target > 0
        return (output - target)[known].square().mean() if known.any() else output.sum() * 0

    def label_count(self, output, target):
        return (target > 0).sum()


class Broken(HoledTask):
    def loss(self, output, target):
        return super().loss(output, target) * float("nan")


TASKS: dict[str, Task] = {"a": HoledTask(), "b": HoledTask()}

CASES = {
    "batches of one set": ({"a": 1, "b": 1}, False, {}),
    "each process its own set": ({"a": 2, "b": 2}, True, {}),
    "one set on both, one on one": ({"a": 3, "b": 1}, True, {"clip": 0.5, "weight_decay": 0.1}),
    "some samples without labels": ({"a": 3, "b": 1}, True, {"batch_norm": "frozen", "ema": 0.5}),
    "accumulated": ({"a": 3, "b": 1}, True, {"accumulate": 2, "optimizer": {"use": "adamw", "lr": 0.01}}),
    "best": ({"a": 2, "b": 2}, True, {"choose": "best", "validate_every": 2, "checkpoint_every": 3}),
}


def train(fabric, folder, case, *, stop=None):
    """The state of the network after the training of a case, and what was found."""
    each, mixed, changes = CASES[case]
    lacking = HOLES if case == "some samples without labels" else ()
    sets = {"a": noise(8, ["a"], lacking=lacking), "b": noise(6, ["b"], start=500, lacking=range(6) if lacking else ())}
    data = Mixture(sets, ConstantInterval(batches=each), mixed=mixed)
    net = toys.network(norm=changes.get("batch_norm") == "frozen", dropout=0.0)
    result = fit(
        net,
        TASKS,
        data,
        toys.options(steps=4, **changes),
        folder=Path(folder),
        seed=0,
        validation=data if "validate_every" in changes else None,
        fabric=fabric,
        stop=stop,
    )
    return toys.state_of(net), result.metrics, result.step


def train_all(fabric, folder):
    """Every case; of every process its states, so that they can be compared."""
    found = {}
    for i, case in enumerate(CASES):
        state, metrics, _ = train(fabric, Path(folder) / str(i), case)
        states = Ranks(fabric).of_each({name: tensor.tolist() for name, tensor in state.items()})
        found[case] = state, metrics, states[0] == states[1]
    return found


def resume_all(fabric, folder):
    """The case with dropout, whole and in two parts: each process's noise goes on where it was."""
    states = []
    for name, stops in (("whole", [None]), ("parts", [3, None])):
        for steps in stops:
            net = toys.network(norm=False, dropout=0.5)
            sets = {"a": noise(8, ["a"]), "b": noise(6, ["b"], start=500)}
            data = Mixture(sets, ConstantInterval(batches={"a": 2, "b": 2}), mixed=True)
            stop = None if steps is None else toys.StopAfter(steps)
            fit(net, TASKS, data, toys.options(steps=6), folder=Path(folder) / name, seed=0, fabric=fabric, stop=stop)
        states.append(toys.state_of(net))
    return states


def average(fabric, folder):
    """Gradients of four parameters: of both processes, the first only, the second only, none; then a weight's momentum."""
    ranks = Ranks(fabric)
    parameters = [nn.Parameter(torch.ones(2, 3)) for _ in range(4)]
    for i, owners in enumerate(((0, 1), (0,), (1,), ())):
        if ranks.number in owners:
            parameters[i].grad = torch.full((2, 3), 1.0 + ranks.number)
    ranks.average_gradients(parameters)
    own = [None if p.grad is None else p.grad.tolist() for p in parameters]
    return ranks.of_each(own)


def add_up(fabric, folder):
    """[value, gradient] of a loss (1 + number) w of both processes, then of 7 w of the second only; w = 1."""
    ranks, found = Ranks(fabric), []
    for losses in ({0: 1.0, 1: 2.0}, {1: 7.0}):
        w = nn.Parameter(torch.tensor(1.0))
        own = {"a": losses[ranks.number] * w} if ranks.number in losses else {}
        (joined,) = ranks.joined(own, dict.fromkeys(own, 5.0 + ranks.number), ["a"], adding=["a"]).values()
        if joined.requires_grad:
            joined.backward()
        ranks.average_gradients([w])
        found += [float(joined.detach()), float(w.grad)]
    return ranks.of_each(found)


def no_label_at_all(fabric, folder):
    """The first process has no label in any step: the gradient is half of the other's, and no process waits for ever."""
    sets = {"a": noise(2, ["a"], lacking=range(2)), "b": noise(2, ["a", "b"], start=500)}
    data = Mixture(sets, ConstantInterval(batches={"a": 1, "b": 1}), mixed=True)
    net = toys.network(norm=False, dropout=0.0)
    fit(net, TASKS, data, toys.options(steps=2, batch_size=2), folder=Path(folder) / "x", seed=0, fabric=fabric)
    return toys.state_of(net)


def diverge(fabric, folder):
    """A loss of the second process only is not finite: both stop with the same error."""
    net = toys.network(norm=False, dropout=0.0)
    sets = {"a": noise(4, ["a"]), "b": noise(4, ["b"], start=500)}
    data = Mixture(sets, ConstantInterval(batches={"a": 2, "b": 2}), mixed=True)
    tasks = {"a": HoledTask(), "b": Broken()}
    try:
        fit(net, tasks, data, toys.options(steps=2), folder=Path(folder) / "y", seed=0, fabric=fabric)
    except ArithmeticError as error:
        return Ranks(fabric).of_each(str(error))
    return None


WEIGHTINGS = {
    "dwa": lambda: DynamicWeightAverage(TASKS, every="iteration"),
    "uncertainty": lambda: Uncertainty(TASKS, forms="regression"),
    "geometric mean": lambda: GeometricMean(TASKS),
    "variance ratio": lambda: VarianceRatio(TASKS, window=1, learning_rate=0.1),
    "random": lambda: GradientAggregation.of(TASKS, aggregation.Random()),
}


def weigh(fabric, folder, name):
    """The network and the weights after a training on batches of both tasks, of which each process has a part."""
    sets = {"a": noise(6, ["a"]), "b": noise(8, ["a", "b"], start=500)}
    data = Mixture(sets, ConstantInterval(batches={"a": 1, "b": 1}), mixed=True)
    net, weighting = toys.network(norm=False, dropout=0.0), WEIGHTINGS[name]()
    options = toys.options(steps=7, optimizer={"use": "adam", "lr": 0.01})
    fit(net, TASKS, data, options, folder=Path(folder), seed=0, fabric=fabric, weighting=weighting)
    return toys.state_of(net), weighting.weights()


def weigh_all(fabric, folder):
    """Every weighting, and whether the processes have one network; draws of weights are the first process's."""
    found = {}
    for i, name in enumerate(WEIGHTINGS):
        state, weights = weigh(fabric, Path(folder) / str(i), name)
        each = Ranks(fabric).of_each({key: tensor.tolist() for key, tensor in state.items()})
        found[name] = state, weights, each[0] == each[1]
    return found


def everything(fabric, folder):
    """All of the above, each in a folder of its name; found in `FOUND`, since a process that returns much never ends."""
    works = (train_all, resume_all, average, add_up, no_label_at_all, diverge, weigh_all)
    found = {work.__name__: work(fabric, Path(folder) / work.__name__) for work in works}
    if fabric.global_rank == 0:
        torch.save(found, Path(folder) / FOUND)
