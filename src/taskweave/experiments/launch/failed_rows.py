"""From failed runs to the rows that cannot be had for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import final

from taskweave.experiments.launch.failures import read_failure
from taskweave.experiments.plan import Entry, Run, Schedule
from taskweave.experiments.running import find_record, folder_of
from taskweave.results.comparison import Failure


@final
class FailedRunError(ValueError):
    """The one run that was asked for could not be trained."""


_WORDS: dict[Schedule, str] = {
    "single": "single-task network",
    "joint": "network of auxiliaries",
}
"""What a run is to one that begins with its weights."""


def _word(parent: Run) -> str:
    return "common start" if parent.first else _WORDS.get(parent.schedule, "earlier network")


def failures_of(rows: Sequence[Entry], folder: Path) -> tuple[Failure, ...]:
    """Every run of a row that is not stored because it failed, or one that it begins with did.

    folder: of all results. Its runs' folders say it, so a failure of an earlier call stays until it is tried again.
    """
    found: list[Failure] = []
    for entry in rows:
        for run in entry.runs:
            reason = _reason(run, folder)
            if reason is not None:
                found.append(Failure(method=entry.row.title, seed=entry.seed, run=run.digest, reason=reason))
    return tuple(found)


def _reason(run: Run, folder: Path) -> str | None:
    if find_record(run, folder) is not None:
        return None
    note = read_failure(folder_of(run, folder))
    if note is not None:
        return f"{run.title}: {note.reason}"
    for parent in run.parents:
        if (reason := _reason(parent, folder)) is not None:
            return f"its {_word(parent)} failed: {reason}"
    return None
