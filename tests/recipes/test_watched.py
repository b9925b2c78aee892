"""Small trainings are short; they are still long enough for the monitor of negative transfer to warn."""

import pytest

from taskweave.experiments.plan import all_runs, entries
from taskweave.recipes.catalogue import find, names
from taskweave.training.monitor.monitor import COSINE, GAP


@pytest.mark.parametrize("name", names())
def test_small_trainings_have_as_many_rows_and_looks_as_a_warning_needs(name: str) -> None:
    """A window of values and so many rows in a row: 14 rows of the log, 10 looks."""
    watched = [
        run for run in all_runs(entries(find(name, small=True))) if not run.first and run.schedule in ("joint", "connected")
    ]
    assert watched
    for run in watched:
        options = run.options
        assert options is not None
        assert options.steps // options.log_every >= GAP.window + GAP.rows - 1, run.title
        assert options.steps // options.monitor_every >= COSINE.window + COSINE.rows - 1, run.title
