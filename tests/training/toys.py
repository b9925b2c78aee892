"""Streams, tasks, units and samples small enough that a training takes milliseconds."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import nn
from torchmetrics import Metric

import taskweave.experiments.rooms  # noqa: F401 - so that short names of parts are known
from taskweave.features import FeatureShape
from taskweave.streams.stream import Stream
from taskweave.tasks.task import Task
from taskweave.training import TrainingOptions
from taskweave.units.unit import Unit
from taskweave.weaving.connected import Connected
from taskweave.weaving.plan import Connection


class ToyNet(nn.Module):
    """conv 3 -> 4 (batch norm, dropout), conv 4 -> 1."""

    def __init__(self, *, norm=True, dropout=0.2):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4) if norm else nn.Identity(), nn.ReLU(), nn.Dropout(dropout)
        )
        self.last = nn.Conv2d(4, 1, 1)

    def forward(self, x):
        return self.last(self.body(x))


def stream(**options):
    return Stream(ToyNet(**options), {"body": ["body"], "last": ["last"]}, head=["last"])


class Mix(Unit):
    """One number per pair of streams; an authors' multiplier of 100."""

    sgd_lr_multiplier = 100.0

    def __init__(self, streams=2):
        super().__init__([FeatureShape.image(4, 6, 6)] * streams)
        self.matrix = nn.Parameter(torch.full((streams, streams), 0.1) + 0.8 * torch.eye(streams))

    def forward(self, features):
        return list(torch.einsum("ij,jbchw->ibchw", self.matrix, torch.stack(features)))


class Convolve(Unit):
    """A 1x1 convolution per stream, whose weights decay."""

    decays = True

    def __init__(self, streams=2):
        super().__init__([FeatureShape.image(4, 6, 6)] * streams)
        self.convs = nn.ModuleList(nn.Conv2d(4 * streams, 4, 1) for _ in range(streams))

    def forward(self, features):
        return [conv(torch.cat(features, 1)) for conv in self.convs]


def network(names=("a", "b"), unit=None, **options):
    torch.manual_seed(1)
    streams = {name: stream(**options) for name in names}
    places = [] if len(names) == 1 else [Connection(dict.fromkeys(names, "body"), unit or Mix(len(names)))]
    return Connected(streams, places)


class MeanError(Metric):
    """The mean absolute error over the whole set."""

    def __init__(self):
        super().__init__()
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, prediction, target):
        self.total += (prediction - target).abs().sum()
        self.count += target.numel()

    def compute(self):
        return {"error": self.total / self.count}


class ToyTask(Task):
    directions: ClassVar = {"error": "lower"}

    @property
    def channels(self):
        return 1

    def loss(self, output, target):
        return (output - target).square().mean()

    def soft(self, output, size):
        return output

    def harden(self, soft):
        return soft

    def metric(self):
        return MeanError()

    def picture(self, value):
        raise NotImplementedError


TASKS = {"a": ToyTask(), "b": ToyTask()}


class Form(NamedTuple):
    """What a weighting asks of a task."""

    regression: bool


class ToySamples:
    """Noise drawn from (index, draw); `a` is its mean over channels, `b` its first. labels: {task: which indices}."""

    def __init__(self, size=10, labels=None, poison=None):
        self.size, self.labels, self.poison = size, labels or {}, poison
        self.drawn = []

    def __len__(self):
        return self.size

    def __getitem__(self, at):
        index, draw = at
        self.drawn.append(at)
        image = torch.randn(3, 6, 6, generator=torch.Generator().manual_seed(1000 * draw + index))
        targets = {"a": image.mean(0, keepdim=True), "b": image[:1]}
        if self.poison == at:
            targets["b"] = targets["b"] * float("nan")
        kept = {name: value for name, value in targets.items() if index in self.labels.get(name, range(self.size))}
        return {"image": image, "key": str(index), **kept}


def options(**changes):
    """Exact arithmetic, few steps."""
    usual = {"steps": 8, "batch_size": 4, "precision": "32", "memory_format": "contiguous", "device": "cpu"}
    return TrainingOptions.model_validate(
        {**usual, "optimizer": {"use": "sgd", "lr": 0.01}, "connection_lr": 1.0, **changes}
    )


def state_of(net):
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


def assert_same_state(one, other):
    """Bit-equal."""
    assert one.keys() == other.keys()
    different = [name for name in one if not torch.equal(one[name], other[name])]
    assert not different, f"these differ: {different}"


class StopAfter:
    """A stop signal that asks after a number of steps; stands in for a `StopSignal`."""

    def __init__(self, steps, reason="interrupted"):
        self.left, self._reason = steps, reason

    @property
    def reason(self):
        self.left -= 1
        return self._reason if self.left < 0 else None
