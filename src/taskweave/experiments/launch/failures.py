"""``failed.json``: why a run could not be trained. The next call tries it again."""

from __future__ import annotations

import csv
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import final

from pydantic import BaseModel, ConfigDict, Field

from taskweave.files import write_text
from taskweave.training.checks import NonFiniteLossError

FAILED = "failed.json"
FAILURES = (NonFiniteLossError, RuntimeError, ValueError, MemoryError)
"""What ends one run and not the comparison: it diverged, its memory was too small, its samples do not fit it.

A full disk, data that went away and Ctrl-C are none of these: they would end every run.
"""


@final
class FailureNote(BaseModel):
    """What is known of a failed run.

    reason: for people, without the traceback.  step: optimiser steps that were logged, or the one that failed; None where
    none was.  last_line: of the traceback: the error's class and message.  where: file and line that raised it.
    when: UTC, ISO 8601.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    reason: str
    step: int | None = None
    last_line: str = ""
    where: str = ""
    when: str = Field(default_factory=lambda: datetime.now(UTC).isoformat())


def read_failure(own: Path) -> FailureNote | None:
    """What a run's folder says of its last failure; None where it did not fail, or is being tried again."""
    try:
        return FailureNote.model_validate_json((own / FAILED).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:  # of another version, or damaged: it failed, no more is known
        return FailureNote(title=own.name, reason=f"{own / FAILED} cannot be read")


def forget_failure(own: Path) -> None:
    """It is tried again, or done."""
    (own / FAILED).unlink(missing_ok=True)


def write_failure(own: Path, note: FailureNote) -> None:
    """Keep why a run failed. Raises OSError."""
    own.mkdir(parents=True, exist_ok=True)
    write_text(own / FAILED, note.model_dump_json(indent=2) + "\n")


@contextmanager
def noting_failure(own: Path, title: str) -> Iterator[None]:
    """Inside, an error that ends this run alone is noted in its folder, and raised on."""
    try:
        yield
    except FAILURES as error:
        write_failure(own, _note(error, own, title))
        raise


def _note(error: Exception, own: Path, title: str) -> FailureNote:
    frames = traceback.extract_tb(error.__traceback__)
    return FailureNote(
        title=title,
        reason=str(error).strip() or type(error).__name__,
        step=error.step if isinstance(error, NonFiniteLossError) else last_step(own),
        last_line=traceback.format_exception_only(error)[-1].strip(),
        where=f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "",
    )


def last_step(own: Path) -> int | None:
    """The last step in a run's ``log.csv``; None where there is none."""
    try:
        with (own / "log.csv").open(newline="", encoding="utf-8") as file:
            steps = [row["step"] for row in csv.DictReader(file) if (row.get("step") or "").isdigit()]
    except OSError:
        return None
    return int(steps[-1]) if steps else None
