"""Experiments as data, runs of them, and runs as a table.

`recipe` says what an experiment is, `methods/` what its rows train and build, `starts/` what networks begin with,
`plan` which runs it has. `running` trains and measures one run, `launch/` runs many, `comparison` puts them side by side,
`sweeps/` varies one thing. What is found lies in files, which `taskweave.results` reads.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "Comparison": "comparison",
    "Evaluation": "recipe",
    "Method": "methods.method",
    "Recipe": "recipe",
    "Row": "methods.row",
    "Run": "plan",
    "Source": "data",
    "Start": "starts.start",
    "TaskEntry": "tasks",
    "Training": "recipe",
    "all_runs": "plan",
    "compare": "comparison",
    "entries": "plan",
    "first_of": "plan",
    "predict_pictures": "predicting",
    "run": "one_run",
    "sweep": "sweeps.sweep",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name in _HOME:
        return getattr(import_module(f"taskweave.experiments.{_HOME[name]}"), name)
    raise AttributeError(f"module 'taskweave.experiments' has no attribute {name!r}; it has {sorted(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from taskweave.experiments.comparison import Comparison as Comparison
    from taskweave.experiments.comparison import compare as compare
    from taskweave.experiments.data import Source as Source
    from taskweave.experiments.methods.method import Method as Method
    from taskweave.experiments.methods.row import Row as Row
    from taskweave.experiments.one_run import run as run
    from taskweave.experiments.plan import Run as Run
    from taskweave.experiments.plan import all_runs as all_runs
    from taskweave.experiments.plan import entries as entries
    from taskweave.experiments.plan import first_of as first_of
    from taskweave.experiments.predicting import predict_pictures as predict_pictures
    from taskweave.experiments.recipe import Evaluation as Evaluation
    from taskweave.experiments.recipe import Recipe as Recipe
    from taskweave.experiments.recipe import Training as Training
    from taskweave.experiments.starts.start import Start as Start
    from taskweave.experiments.sweeps.sweep import sweep as sweep
    from taskweave.experiments.tasks import TaskEntry as TaskEntry
