"""``run.json``: what a finished run found."""

from __future__ import annotations

from pathlib import Path
from typing import Any, final

from pydantic import BaseModel, ConfigDict, Field

from taskweave.results.comparison import Direction

RECORD = "run.json"


@final
class RunRecord(BaseModel):
    """The numbers of a finished run; a column is a task on one part of some data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    digest: str = Field(description="Hash of `content`, and the name of the run's folder.")
    seed: int
    tasks: tuple[str, ...]
    metrics: dict[str, dict[str, float | None]] = Field(description="{column: {metric: value}}.")
    directions: dict[str, dict[str, Direction]] = Field(description="{column: {metric: which way is better}}.")
    tests: dict[str, str] = Field(default={}, description="{column of a further test: what that test is known by}.")
    weighting: str = Field(default="", description="The kind of its weighting; '' where losses have fixed weights.")
    parameters: int
    flops: int
    seconds_per_step: float
    seconds: float
    steps: int
    content: dict[str, Any] = Field(description="All that determines the run.")


def read_record(run: Path) -> RunRecord | None:
    """Read what a run's folder holds.

    Returns:
        The record; None where the run is not finished.

    Raises:
        ValueError: The file cannot be read; the message says what to do.
    """
    path = run / RECORD
    if not path.is_file():
        return None
    try:
        return RunRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} cannot be read ({error}); delete its folder to train this run anew") from error
