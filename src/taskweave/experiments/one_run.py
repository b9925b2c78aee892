"""One row of a recipe, alone."""

from __future__ import annotations

from pathlib import Path

from taskweave.experiments.bench import Bench
from taskweave.experiments.columns import columns_of
from taskweave.experiments.launch.here import Here
from taskweave.experiments.launch.launcher import Place
from taskweave.experiments.launch.scheduling import train_all
from taskweave.experiments.methods.row import Row as RecipeRow
from taskweave.experiments.plan import all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.rows import FailedRunError, failures_of, row_of
from taskweave.experiments.running import find_record
from taskweave.parts import unknown
from taskweave.progress import Progress, Silent, StopSignal
from taskweave.results.comparison import Row


def run(
    recipe: Recipe,
    *,
    method: str | None = None,
    seed: int | None = None,
    folder: Path = Path("results"),
    progress: Progress | None = None,
    stop: StopSignal | None = None,
) -> Row | None:
    """Train one method of a recipe with one seed, and the runs it needs, unless they are stored; and its measured row.

    method: its label or its kind; default the recipe's last.  seed: default the recipe's first; any may be asked for.
    Returns None where `stop` (or Ctrl-C) stopped it: the next call goes on from there.
    A run that another process trains is waited for.
    Raises ValueError for a method that the recipe does not have, listing those it has; FailedRunError where it fails.
    """
    if seed is not None and seed not in recipe.seeds:
        recipe = recipe.model_copy(update={"seeds": (seed,)})
    wanted = _method(recipe, method)
    chosen = recipe.seeds[0] if seed is None else seed
    entry = next(e for e in entries(recipe) if e.row == wanted and e.seed == chosen)
    bench, signal = Bench(recipe, progress), stop or StopSignal()
    bench.open()
    with signal.catching():
        place = Place(bench, folder, signal, progress or Silent())
        if train_all(all_runs([entry]), Here(), place) is not None:
            return None
    if failed := failures_of([entry], folder):
        raise FailedRunError(f"{entry.row.title}, seed {chosen}: {failed[0].reason}")
    records = [find_record(needed, folder) for needed in entry.runs]
    return row_of(entry, [record for record in records if record is not None], {}, columns=columns_of(recipe))


def _method(recipe: Recipe, name: str | None) -> RecipeRow:
    if name is None:
        return recipe.rows[-1]
    found = [m for m in recipe.rows if m.title == name] or [m for m in recipe.rows if m.is_called(name)]
    if len(found) != 1:
        raise ValueError(unknown(f"method {name!r}", name, [m.title for m in recipe.rows]))
    return found[0]
