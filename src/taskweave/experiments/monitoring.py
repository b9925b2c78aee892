"""The monitor of negative transfer in a comparison: what a run is compared with, and what it warned of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.data import MixtureOf
from taskweave.experiments.plan import Entry, Run, entries
from taskweave.results.comparison import TransferWarning
from taskweave.results.run_files import read_losses
from taskweave.training.checkpoint import WEIGHTS
from taskweave.training.monitor.monitor import Monitor, Reference
from taskweave.training.monitor.watch import read_warnings
from taskweave.training.options import TrainingOptions

_APART = 1.5
"""From this ratio of two schedules' factors on, losses at the same step are not compared."""


def monitor_of(run: Run, runs: Path) -> Monitor | None:
    """What watches the training of a run; None for one network of one task, for ensembles and for the common start.

    A network that begins with trained single ones is compared with `single, trained on` from the same: the same start and
    the same steps. Where the recipe has no such row, with the level at which the single ones ended. A network trained from
    scratch is compared with the single network's own curve, where both schedules are about as far down. Losses are those of
    the log, which no weight enters.
    A reference that is not trained, or not comparable, is named in the monitor's notes.  runs: the folder of all runs.
    """
    options = run.options
    if options is None or run.first or run.schedule not in ("joint", "connected"):
        return None
    references: dict[str, Reference] = {}
    notes: list[str] = []
    for task in run.trained:
        found = _reference(run, task, options, runs)
        if isinstance(found, Reference):
            references[task] = found
        else:
            notes.append(f"no gap of {task}: {found}")
    return Monitor(references, cosine_every=options.monitor_every, notes=tuple(notes))


def _reference(run: Run, task: str, options: TrainingOptions, runs: Path) -> Reference | str:
    """A task's curve, or why there is none."""
    data = run.recipe.data
    if isinstance(data, MixtureOf) and len(run.sets) > 1 and data.mixture.fact("by_size"):
        return f"the {data.mixture.name} mixture gives its data sets turns by their sizes"
    single, held = _compared_with(run, task)
    if single is None:
        return "the recipe has no single network of it"
    if single.options is None or not (runs / single.digest / WEIGHTS).is_file():
        return f"{single.title} is not trained"
    steps, losses = _curve(runs / single.digest / "log.csv", task)
    if not steps:
        return f"{single.title} has no losses in its log"
    if held:
        return Reference(f"{single.title} at its end", (0.0,) * len(steps), losses, held=True)
    scale = _pictures(single, task, single.options) / _pictures(run, task, options)
    rows = [(step * scale, loss) for step, loss in zip(steps, losses, strict=True)]
    near = [(at, loss) for at, loss in rows if _near(_factor(options, at), _factor(single.options, at / scale))]
    if not near:
        return f"the rate of {single.title} runs otherwise at every step"
    told = [] if single.options.optimizer == options.optimizer else ["another optimiser"]
    told += [f"where the rates run alike, up to step {near[-1][0]:.0f}"] if len(near) < len(rows) else []
    title = f"{single.title} ({', '.join(told)})" if told else single.title
    return Reference(title, tuple(at for at, _ in near), tuple(loss for _, loss in near))


def _factor(options: TrainingOptions, step: float) -> float:
    """What the schedule makes of the rate in step number `step`, counted from 1."""
    return options.schedule(options.steps)(max(0, round(step) - 1))


def _near(one: float, other: float) -> bool:
    """Whether two factors are about the same. A loss falls as its rate does: near the end of a schedule, that of a longer
    one is behind whatever the tasks do to each other."""
    return max(one, other) <= _APART * min(one, other)


def _compared_with(run: Run, task: str) -> tuple[Run | None, bool]:
    """The run to compare with, and whether it is what this one begins with, of which only the end counts."""
    own = next((parent for parent in run.parents if parent.schedule == "single" and parent.trained == (task,)), None)
    rows = [entry for entry in entries(run.recipe) if entry.seed == run.seed]
    others = [other for entry in rows for other in entry.runs if other.trained == (task,)]
    if own is not None:
        begun = {own.digest}
        on = next((o for o in others if o.schedule == "trained_on" and {p.digest for p in o.parents} == begun), None)
        return (own, True) if on is None else (on, False)
    plain = [run for entry in rows if entry.row.made.is_baseline for run in entry.runs]
    return next((other for other in plain if other.trained == (task,)), None), False


def _curve(log: Path, task: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
    steps, losses = read_losses(log).get(task, ([], [])) if log.is_file() else ([], [])
    return tuple(steps), tuple(losses)


def _pictures(run: Run, task: str, options: TrainingOptions) -> float:
    """Pictures labelled for a task in a training step: in a mixture of a run's data sets all have equally many turns."""
    share = sum(task in one.labelled_for((task,)) for one in run.sets.values()) / len(run.sets)
    return options.batch_size * options.accumulate * share


def warnings_of(rows: Sequence[Entry], runs: Path) -> tuple[TransferWarning, ...]:
    """What the monitor said of the rows' trainings, in their order. runs: the folder that holds all runs."""
    return tuple(
        TransferWarning(
            method=entry.row.title,
            seed=entry.seed,
            task=warned.task,
            place=warned.place,
            since=warned.since,
            message=warned.message,
        )
        for entry in rows
        for run in entry.runs
        for warned in read_warnings(runs / run.digest)
    )
