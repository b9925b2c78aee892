"""One row of a recipe, alone."""

from __future__ import annotations

from pathlib import Path

from taskweave.evaluation.bench import Bench
from taskweave.evaluation.choices.method import Method
from taskweave.evaluation.columns import columns_of
from taskweave.evaluation.explaining import unknown
from taskweave.evaluation.planning import all_runs, entries
from taskweave.evaluation.recipe import Recipe
from taskweave.evaluation.results import Row
from taskweave.evaluation.rows import row_of
from taskweave.evaluation.running import RunRecord, train_run
from taskweave.training.progress import Progress
from taskweave.training.stopping import StopSignal


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
    Raises ValueError for a method that the recipe does not have, listing those it has.
    """
    if seed is not None and seed not in recipe.seeds:
        recipe = recipe.model_copy(update={"seeds": (seed,)})
    wanted = _method(recipe, method)
    chosen = recipe.seeds[0] if seed is None else seed
    entry = next(e for e in entries(recipe) if e.method == wanted and e.seed == chosen)
    bench, signal = Bench(recipe, progress), stop or StopSignal()
    records: dict[str, RunRecord] = {}
    bench.open()
    with signal.catching():
        for needed in all_runs([entry]):
            record = train_run(needed, bench, folder=folder, stop=signal, progress=progress)
            if record is None:
                return None
            records[needed.digest] = record
    return row_of(entry, [records[r.digest] for r in entry.runs], {}, columns=columns_of(recipe))


def _method(recipe: Recipe, name: str | None) -> Method:
    if name is None:
        return recipe.rows[-1]
    found = [m for m in recipe.rows if m.title == name] or [m for m in recipe.rows if m.kind == name]
    if len(found) != 1:
        raise ValueError(unknown(f"method {name!r}", name, [m.title for m in recipe.rows]))
    return found[0]
