"""Training: the loop, its options, its stages, its files."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "CannotSaveError": "checkpoint",
    "FitResult": "result",
    "Freeze": "options",
    "Limits": "monitor.alarm",
    "Monitor": "monitor.monitor",
    "NonFiniteLossError": "nonfinite",
    "Reference": "monitor.gaps",
    "Schedule": "schedules",
    "TrainingOptions": "options",
    "WeightDecay": "options",
    "WrongCheckpointError": "checkpoint",
    "adam": "optimizers",
    "adamw": "optimizers",
    "constant": "schedules",
    "cosine": "schedules",
    "fit": "loop",
    "poly": "schedules",
    "sgd": "optimizers",
}
__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module 'taskweave.training' has no attribute {name!r}; it has {__all__}")
    return getattr(import_module(f"taskweave.training.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__


if TYPE_CHECKING:  # what is imported when asked for, for type checkers and editors
    from taskweave.training.loop import fit as fit
