"""Which modules hold the parts of each kind: their public names may be written short in a recipe."""

from __future__ import annotations

from torch.optim import Optimizer

from taskweave.parts import KINDS, Kind
from taskweave.training.schedules import Schedule
from taskweave.weighting.weighting import Weighting

KINDS[Optimizer] = Kind("optimizer", ("groups",), ("taskweave.training.optimizers",))
KINDS[Schedule] = Kind("schedule", ("steps",), ("taskweave.training.schedules",))
KINDS[Weighting] = Kind("weighting", ("tasks",), ("taskweave.weighting",))
