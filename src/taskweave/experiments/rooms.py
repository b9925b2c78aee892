"""The kinds of parts: what each makes, what the program gives it, and the rooms whose public names may be written short."""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer
from torch.utils.data import Dataset
from torchmetrics import Metric
from torchvision.transforms import v2

from taskweave.data import MixtureSchedule
from taskweave.experiments.methods.method import Method
from taskweave.experiments.starts.start import Start
from taskweave.heads import Head
from taskweave.parts import KINDS, Kind
from taskweave.tasks.task import Task
from taskweave.training.optimizers import Schedule
from taskweave.units.unit import Unit
from taskweave.weaving.connected import Connected
from taskweave.weighting.weighting import Weighting

KINDS.update(
    {
        Unit: Kind("unit", ("shapes",), ("taskweave.units",)),
        Head: Kind("head", ("shape", "channels"), ("taskweave.heads",)),
        nn.Module: Kind("network", ("channels",), ("taskweave.networks",)),
        Connected: Kind("joint network", ("outputs",), ("taskweave.networks",)),
        Task: Kind("task", ("labels",), ("taskweave.tasks",)),
        Metric: Kind("metric", ("task",), ("taskweave.metrics",)),
        Dataset: Kind("data set", ("part",), ("taskweave.data",)),
        MixtureSchedule: Kind("mixture", (), ("taskweave.data",)),
        v2.Transform: Kind("transform", ("statistics",), ("taskweave.data",)),
        Weighting: Kind("weighting", ("tasks",), ("taskweave.weighting",)),
        Optimizer: Kind("optimizer", ("groups",), ("taskweave.training.optimizers",)),
        Schedule: Kind("schedule", ("steps",), ("taskweave.training.optimizers",)),
        Start: Kind("start", ("stream", "stored", "network"), ("taskweave.experiments.starts",)),
        Method: Kind("method", (), ("taskweave.experiments.methods",)),
    }
)
