"""Experiments as data, runs of them, and runs as a table.

`recipe` says what an experiment is, `methods/` what its rows train and build, `starts/` what networks begin with,
`plan` which runs it has. `running` trains and measures one run, `launch/` runs many, `comparison` puts them side by side,
`sweeps/` varies one thing. What is found lies in files, which `taskweave.results` reads.
"""

from typing import TYPE_CHECKING

from taskweave.lazy import lazy_names

if TYPE_CHECKING:
    from taskweave.experiments.comparison import Comparison as Comparison, compare as compare
    from taskweave.experiments.data import Source as Source
    from taskweave.experiments.methods.method import Method as Method
    from taskweave.experiments.methods.row import Row as Row
    from taskweave.experiments.one_run import run as run
    from taskweave.experiments.plan import Run as Run, all_runs as all_runs, entries as entries, first_of as first_of
    from taskweave.experiments.predicting import predict_pictures as predict_pictures
    from taskweave.experiments.recipe import Evaluation as Evaluation, Recipe as Recipe, Training as Training
    from taskweave.experiments.starts.start import Start as Start
    from taskweave.experiments.sweeps.sweep import sweep as sweep
    from taskweave.experiments.tasks import TaskEntry as TaskEntry
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, __file__)
