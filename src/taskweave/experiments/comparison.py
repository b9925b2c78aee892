"""Runs as a table: which methods help, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, final

from taskweave.experiments.artifacts.class_labels import train_labels
from taskweave.experiments.artifacts.machine import describe_machine, installed_versions
from taskweave.experiments.artifacts.writing import write_drawings
from taskweave.experiments.bench import Bench
from taskweave.experiments.columns import columns_of
from taskweave.experiments.data import made_by, sets_of
from taskweave.experiments.estimating import Estimate, estimate
from taskweave.experiments.fingerprint import digest_of
from taskweave.experiments.launch.here import Here
from taskweave.experiments.launch.launcher import Launcher, Place
from taskweave.experiments.launch.scheduling import train_all
from taskweave.experiments.monitoring import warnings_of
from taskweave.experiments.plan import Entry, all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.rows import constants_of, failures_of, row_of, score_of
from taskweave.experiments.running import check_weightings, find_record
from taskweave.experiments.set_up import differences
from taskweave.files import write_text
from taskweave.progress import Progress, Silent, StopSignal
from taskweave.results.comparison import ComparisonResult, Row, Values
from taskweave.results.folder import RESULT, file_name
from taskweave.results.gains import with_gains
from taskweave.training.checkpoint import open_folder

State = Literal["planned", "finished", "failed", "interrupted", "deadline"]


@final
@dataclass(frozen=True)
class Comparison:
    """What `compare` did.

    result: the rows there are.  folder: holds comparison.json, recipe.yaml and pictures/; tables, charts and the page are
    written from it by `taskweave.reporting.write_report`.
    estimate: what was left to do when it began.  state: "planned" after a dry run; "finished"; "failed" where all is there
    but `result.failed`; or why it stopped early: then the same call goes on where it stopped.
    pictures: the files written of networks.
    """

    result: ComparisonResult
    folder: Path
    estimate: Estimate
    state: State
    pictures: tuple[Path, ...] = ()

    @property
    def finished(self) -> bool:
        return self.state == "finished"


def compare(
    recipe: Recipe,
    *,
    folder: Path = Path("results"),
    max_minutes: float | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    stop: StopSignal | None = None,
    launcher: Launcher | None = None,
    command: str = "",
) -> Comparison:
    """Train what is not there yet of all methods and seeds, and put the results side by side.

    folder: of all results: runs lie in ``folder/runs/<hash>`` and are shared by every recipe that asks for the same
        training; this comparison's files in ``folder/<name of the recipe>``.
    max_minutes: stop at a resumable point after so long.  dry_run: only say what it would take; nothing is written.
    stop: asked after every step; without one Ctrl-C is caught here.  command: noted in comparison.json.
    launcher: who trains; by default one run at a time in this process (see `taskweave.experiments.launch`).

    Several processes may compare in one folder at once: a run that another one trains is waited for, other runs first. A
    run whose training fails (`launch.failures.FAILURES`) is noted in `result.failed` and the others go on;
    the next call tries it again.
    Raises ValueError for a network that cannot be built or data that do not fit, OSError for a folder that cannot be
    written to, ImportError for a weighting whose extra is not installed; what was finished before stays.
    """
    progress, bench, rows = progress or Silent(), Bench(recipe, progress), entries(recipe)
    runs = all_runs(rows)
    check_weightings([run for run in runs if find_record(run, folder) is None], bench)
    expected = estimate(runs, bench, folder=folder, progress=progress)
    progress.note(describe(expected))
    if dry_run:
        return Comparison(
            _result(recipe, rows, {}, folder=folder, command=command), place_of(recipe, folder), expected, "planned"
        )
    here = place_of(recipe, folder)
    open_folder(here)
    bench.open()
    write_text(here / "recipe.yaml", recipe.to_yaml())
    signal = stop or StopSignal(max_minutes)
    if expected.missing:
        _ = bench.tasks  # data that do not fit a task are told before anything trains
    with signal.catching():
        reason = train_all(runs, launcher or Here(), Place(bench, folder, signal, progress))
    constant = _constant(bench, here, progress)
    train_labels(bench, here, progress)
    result = with_gains(_result(recipe, rows, constant, folder=folder, command=command), folder, progress=progress)
    result = result.model_copy(update={"images": bench.images})
    state: State = reason or ("failed" if result.failed else "finished")
    result.save(here / RESULT)
    pictures = write_drawings(rows, bench, root=folder, folder=here, progress=progress)
    return Comparison(result, here, expected, state, pictures)


def place_of(recipe: Recipe, folder: Path) -> Path:
    """Where a recipe's table and pictures go."""
    return folder / file_name(recipe.name)


def describe(expected: Estimate) -> str:
    """Expected time and disk in one line."""
    if not expected.missing:
        return f"all {expected.done} runs are stored: nothing to train"
    anew = sum(item.trained for item in expected.missing)
    measured = f"{anew} to measure anew, " if anew else ""
    return (
        f"{len(expected.missing) - anew} runs to train, {measured}{expected.done} stored; expected: "
        f"{duration(expected.seconds)}, "
        f"{expected.bytes / 1e6:.0f} MB of disk"
    )


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _result(recipe: Recipe, rows: Sequence[Entry], constant: Values, *, folder: Path, command: str) -> ComparisonResult:
    from taskweave import __version__

    found: list[Row] = []
    missing: list[Entry] = []
    for entry in rows:
        records = [find_record(run, folder) for run in entry.runs]
        whole = [record for record in records if record is not None]
        if len(whole) == len(records):
            found.append(row_of(entry, whole, constant, columns=columns_of(recipe)))
        else:
            missing.append(entry)
    failed = failures_of(missing, folder)
    lost = {(failure.method, failure.seed) for failure in failed}
    sets = {**sets_of(recipe.data), **{name: test.data for name, test in recipe.further_tests.items()}}
    return ComparisonResult(
        name=recipe.name,
        recipe=recipe.dump(),
        recipe_hash=recipe.digest(),
        taskweave_version=__version__,
        baseline=recipe.rows[0].title,
        control=next((row.title for row in recipe.rows if row.made.is_control), ""),
        seeds=recipe.seeds,
        rows=tuple(found),
        columns={column.name: column.task for column in columns_of(recipe)},
        constant=constant,
        further=tuple(column.name for column in columns_of(recipe) if column.further),
        parts=tuple(column.name for column in columns_of(recipe) if column.part != "test"),
        may_be_published={name: one.facts.may_be_shown for name, one in sets.items()},
        printed=recipe.printed,
        set_up=() if recipe.printed is None else differences(recipe, recipe.printed.set_up),
        notes=recipe.notes,
        missing=tuple(f"{e.row.title}, seed {e.seed}" for e in missing if (e.row.title, e.seed) not in lost),
        failed=failed,
        warnings=warnings_of(rows, folder / "runs"),
        command=command,
        machine=describe_machine(),
        versions=installed_versions(),
    )


def _constant(bench: Bench, here: Path, progress: Progress) -> Values:
    """The constant's scores, kept beside the table: they depend on the data and the tasks alone."""
    import json

    r = bench.recipe
    known_by = digest_of(
        {
            "data": r.data.identity(),
            "made_by": made_by(sets_of(r.data), r.tasks),
            "tasks": {name: entry.identity() for name, entry in r.tasks.items()},
            "further": {name: test.identity() for name, test in r.further_tests.items()},
            "also_on": list(r.evaluation.also_on),
        }
    )
    path = here / f"constant-{known_by}.json"
    if path.is_file():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    progress.note("measuring what a constant prediction scores")
    tasks = bench.tasks
    parts = [(bench.sets[name].train, one.labelled_for(tasks)) for name, one in sets_of(r.data).items()]
    constants = constants_of(tasks, parts)
    scores: Values = {}
    for column in columns_of(r):
        found = score_of(column.task, tasks[column.task], bench.test(column), constants=constants.get(column.task, []))
        if found:
            scores[column.name] = found
    write_text(path, json.dumps(scores, indent=1))
    return scores
