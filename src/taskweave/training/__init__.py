"""Training: the loop, its options, optimisers and schedules, its stages, its files."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "FitResult": "result",
    "Freeze": "options",
    "Limits": "monitor.monitor",
    "Metrics": "result",
    "Monitor": "monitor.monitor",
    "NonFiniteLossError": "checks",
    "Reference": "monitor.monitor",
    "Samples": "batches",
    "Schedule": "schedules",
    "SetStatistics": "norms",
    "TrainingOptions": "options",
    "Validation": "result",
    "WeightDecay": "options",
    "WrongCheckpointError": "weights",
    "adam": "optimizers",
    "adamw": "optimizers",
    "constant": "schedules",
    "cosine": "schedules",
    "fit": "loop",
    "load_stream_weights": "weights",
    "load_streams": "stages",
    "load_weights": "weights",
    "make_fabric": "fabric",
    "poly": "schedules",
    "read_state": "weights",
    "read_statistics": "norms",
    "save_weights": "weights",
    "settle": "speed",
    "sgd": "optimizers",
    "step": "schedules",
    "train_singles": "stages",
    "validate": "validation",
}
# No module here may be called as one of these: once imported, it would take the name's place.
__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: some bring Lightning along, the options do not."""
    if name not in _HOME:
        raise AttributeError(f"module 'taskweave.training' has no attribute {name!r}; it has {__all__}")
    return getattr(import_module(f"taskweave.training.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__


if TYPE_CHECKING:  # what is imported when asked for, for type checkers and editors
    from taskweave.training.batches import Samples as Samples
    from taskweave.training.checks import NonFiniteLossError as NonFiniteLossError
    from taskweave.training.fabric import make_fabric as make_fabric
    from taskweave.training.loop import fit as fit
    from taskweave.training.monitor.monitor import Limits as Limits
    from taskweave.training.monitor.monitor import Monitor as Monitor
    from taskweave.training.monitor.monitor import Reference as Reference
    from taskweave.training.norms import SetStatistics as SetStatistics
    from taskweave.training.norms import read_statistics as read_statistics
    from taskweave.training.optimizers import adam as adam
    from taskweave.training.optimizers import adamw as adamw
    from taskweave.training.optimizers import sgd as sgd
    from taskweave.training.options import Freeze as Freeze
    from taskweave.training.options import TrainingOptions as TrainingOptions
    from taskweave.training.options import WeightDecay as WeightDecay
    from taskweave.training.result import FitResult as FitResult
    from taskweave.training.result import Metrics as Metrics
    from taskweave.training.result import Validation as Validation
    from taskweave.training.schedules import Schedule as Schedule
    from taskweave.training.schedules import constant as constant
    from taskweave.training.schedules import cosine as cosine
    from taskweave.training.schedules import poly as poly
    from taskweave.training.schedules import step as step
    from taskweave.training.speed import settle as settle
    from taskweave.training.stages import load_streams as load_streams
    from taskweave.training.stages import train_singles as train_singles
    from taskweave.training.validation import validate as validate
    from taskweave.training.weights import WrongCheckpointError as WrongCheckpointError
    from taskweave.training.weights import load_stream_weights as load_stream_weights
    from taskweave.training.weights import load_weights as load_weights
    from taskweave.training.weights import read_state as read_state
    from taskweave.training.weights import save_weights as save_weights
