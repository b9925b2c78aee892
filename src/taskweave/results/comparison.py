"""What a comparison found, as data: the documented, versioned schema of ``comparison.json``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Literal, final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from taskweave.files import write_text

SCHEMA_VERSION = 2
"""Raised by one whenever a field changes its meaning or goes away; new optional fields leave it."""

Direction = Literal["higher", "lower"]
Values = dict[str, dict[str, float | None]]
"""{task: {metric: value}}; None where a metric is undefined (nothing was labelled)."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@final
class Mark(_Data):
    """A remark on one number that readers must know.

    Args:
        task: The task of the number.
        metric: The metric of the number.
        reason: In words, e.g. "no better than a constant prediction".
    """

    task: str
    metric: str
    reason: str


@final
class SeedGain(_Data):
    """A gain within one seed.

    Args:
        low: Lower end of its interval over the test images (paired bootstrap); None if not known.
        high: Its upper end.
    """

    seed: int
    value: float
    low: float | None = None
    high: float | None = None


@final
class Gain(_Data):
    """How much better one method is than the baseline, in one number; + is better.

    Args:
        kind: "metric": the method minus the baseline in one metric, in its unit. "task_mean", "flat_mean": the relative
            gains of that name, in percent (see `taskweave.metrics.gain.relative_gain`); then task and metric are "".
    """

    method: str
    kind: Literal["metric", "task_mean", "flat_mean"]
    task: str = ""
    metric: str = ""
    value: float = Field(description="Mean over the seeds that both have.")
    seeds: tuple[SeedGain, ...] = Field(default=(), description="The same within each seed.")
    low: float | None = Field(default=None, description="Lower end of the t-interval over seeds; None under two seeds.")
    high: float | None = Field(default=None, description="Its upper end.")
    distinguishable: bool | None = Field(
        default=None,
        description="Whether the t-interval leaves 0 out; None under three seeds, when nothing is called a difference.",
    )


@final
class Failure(_Data):
    """A run that could not be trained: its row is missing, the others stand."""

    method: str
    seed: int
    run: str = Field(description="The folder under runs/.")
    reason: str


@final
class TransferWarning(_Data):
    """A warning of negative transfer in a connected training.

    Args:
        task: The task that suffers, or "a and b" if their gradients point apart.
        place: The connection where they disagree most.
        since: The optimiser step from which it held.
    """

    method: str
    seed: int
    task: str
    place: str
    since: int
    message: str


@final
class Row(_Data):
    """One method with one seed, measured once on the test part."""

    method: str = Field(description="The method's label, unique in its recipe, e.g. 'cross_stitch'.")
    seed: int
    metrics: Values = Field(description="{task: {metric: value}}; percent, degrees, metres (inverse depth: as stored).")
    directions: dict[str, dict[str, Direction]] = Field(
        description="{task: {metric: which way is better}}, in column order."
    )
    parameters: int = Field(description="Distinct trained numbers of everything the method needs for all tasks.")
    flops: int = Field(description="Floating-point operations of one forward pass of one image for all tasks.")
    seconds_per_step: float | None = Field(default=None, description="Mean wall time of one training step of the method.")
    steps: int = Field(default=0, description="Training steps behind the numbers, all stages together, per network.")
    recipe_hash: str = Field(description="Hash of everything that determines this row.")
    runs: tuple[str, ...] = Field(default=(), description="The folders under runs/ whose metrics this row joins.")
    marks: tuple[Mark, ...] = ()

    @field_validator("metrics", mode="before")
    @classmethod
    def _no_nan(cls, value: Any) -> Any:
        """JSON has no NaN: an undefined number is None."""
        return {
            task: {name: None if x is None or math.isnan(float(x)) else float(x) for name, x in numbers.items()}
            for task, numbers in dict(value).items()
        }


@final
class Printed(_Data):
    """What a paper prints for the methods, in a recipe's names. It changes no result and is no part of any hash."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    paper: str
    """Authors and name."""
    table: str
    """E.g. "Table 4"."""
    caption: str = ""
    """What the table shows, in our words."""
    rows: dict[str, dict[str, dict[str, float]]] = Field(default_factory=dict)
    """{label of a method: {column: {metric: printed value}}}, in our names and units."""
    names: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """{label of a method: the paper's names of the rows that these values are from}."""
    only_printed: tuple[str, ...] = ()
    """Rows and columns of the paper's table that this recipe has no place for."""
    set_up: dict[str, str] = Field(default_factory=dict)
    """{aspect: the paper's, in words}, as the recipe of full size has it: what this recipe's own is compared with."""
    pictures: dict[str, int] = Field(default_factory=dict)
    """{part: how many pictures the paper has}."""
    notes: tuple[str, ...] = ()
    """What a number's definition, unit or origin is in the paper, where it is not ours."""
    doubts: tuple[str, ...] = ()
    """What in the paper's table, or between it and its text, does not agree."""


@final
class Point(_Data):
    """One value of a sweep's axis."""

    text: str = Field(description="What stands on the axis.")
    method: str = Field(description="The row that has this value.")
    number: float | None = Field(default=None, description="Where it lies on an axis of numbers.")
    seed: int | None = Field(default=None, description="The only seed of the row that counts; None for all of them.")


@final
class Swept(_Data):
    """The axis of a sweep, as it is drawn."""

    axis: str = Field(description="Its name on the command line.")
    label: str = Field(description="Its name on the chart.")
    points: tuple[Point, ...] = Field(description="By value, in order.")
    beside: tuple[str, ...] = Field(default=(), description="Rows without a value, drawn for comparison.")
    logarithmic: bool = Field(default=False, description="Whether numbers are spaced by their ratio.")
    relative: bool = Field(
        default=False,
        description="Draw performance relative to the single networks (cross-stitch, figure 2), else the gain over them.",
    )


@final
class ComparisonResult(_Data):
    """All rows of one recipe, and what they are compared with."""

    schema_version: int = SCHEMA_VERSION
    name: str
    recipe: dict[str, Any] = Field(description="The resolved recipe.")
    recipe_hash: str
    taskweave_version: str
    baseline: str = Field(default="single", description="The method that gains are counted from.")
    control: str = Field(
        default="",
        description="The row of single networks trained on for as long as others are fine-tuned; '' without one.",
    )
    seeds: tuple[int, ...] = Field(default=(), description="As the recipe asks for them, in its order.")
    rows: tuple[Row, ...] = ()
    columns: dict[str, str] = Field(default_factory=dict, description="{key of `metrics`: the task that it measures}.")
    constant: Values = Field(
        default_factory=dict, description="What the best constant prediction of the train labels scores."
    )
    further: tuple[str, ...] = Field(
        default=(), description="The tasks of `metrics` that are further tests, which do not count in the average gain."
    )
    parts: tuple[str, ...] = Field(
        default=(), description="The tasks of `metrics` on train or validation parts, which do not count in it either."
    )
    images: dict[str, int] = Field(
        default_factory=dict, description="{part of the data: how many pictures were read}, of all that was opened."
    )
    may_be_published: dict[str, bool] = Field(
        default_factory=dict,
        description="{data set: whether its pictures may be shown to others}.",
    )
    printed: Printed | None = Field(default=None, description="What a paper prints for these methods.")
    set_up: tuple[str, ...] = Field(
        default=(), description="Where the set-up differs from that paper's, each as 'aspect: here [in the paper]'."
    )
    notes: str = Field(default="", description="The recipe's own.")
    sweep: Swept | None = Field(default=None, description="The axis, where the rows are the values of a sweep.")
    missing: tuple[str, ...] = Field(default=(), description="'method, seed n' of what is not trained yet.")
    failed: tuple[Failure, ...] = Field(default=(), description="Runs that could not be trained, and why.")
    gains: tuple[Gain, ...] = Field(default=(), description="Every gain over the baseline, and how sure it is.")
    warnings: tuple[TransferWarning, ...] = Field(default=(), description="Negative transfer seen during training.")
    command: str = Field(default="", description="How it was started, where a command line did.")
    machine: str = ""
    versions: dict[str, str] = Field(default_factory=dict, description="{package: version} of what computed it.")

    @property
    def methods(self) -> tuple[str, ...]:
        """Labels in the order of the recipe."""
        return tuple(dict.fromkeys(row.method for row in self.rows))

    @property
    def directions(self) -> dict[str, dict[str, Direction]]:
        """{task: {metric: which way is better}} over all rows, in column order."""
        columns: dict[str, dict[str, Direction]] = {}
        for row in self.rows:
            for task, metrics in row.directions.items():
                columns.setdefault(task, {}).update(metrics)
        return columns

    def rows_of(self, method: str) -> tuple[Row, ...]:
        """Return the rows of one method, by seed.

        Raises:
            KeyError: The method has no rows.
        """
        found = sorted((row for row in self.rows if row.method == method), key=lambda row: row.seed)
        if not found:
            raise KeyError(f"no row of method {method!r}; the methods with rows are {list(self.methods)}")
        return tuple(found)

    def save(self, path: Path) -> None:
        """Write the comparison to a JSON file, atomically."""
        write_text(path, self.model_dump_json(indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> ComparisonResult:
        """Read a comparison from a JSON file.

        Raises:
            ValueError: The file has another schema version than this program, or is not a comparison.
        """
        text = path.read_text(encoding="utf-8")
        version = _version_of(text)
        if version > SCHEMA_VERSION:
            raise ValueError(f"{path} has schema version {version}, this taskweave reads up to {SCHEMA_VERSION}: update it")
        if version < SCHEMA_VERSION:
            raise ValueError(
                f"{path} has schema version {version}, this taskweave reads {SCHEMA_VERSION}: "
                "repeat the command that wrote it"
            )
        return cls.model_validate_json(text)


def _version_of(text: str) -> int:
    """The schema version that a JSON text states; this program's where it states none, which validation then judges."""
    try:
        content = json.loads(text)
    except ValueError:
        return SCHEMA_VERSION
    version = content.get("schema_version") if isinstance(content, dict) else None
    return version if isinstance(version, int) else SCHEMA_VERSION
