"""Which row of a comparison belongs to which value of a sweep."""

from __future__ import annotations

from typing import final

from pydantic import BaseModel, ConfigDict, Field


@final
class Point(BaseModel):
    """One value of a sweep's axis."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(description="What stands on the axis.")
    method: str = Field(description="The row that has this value.")
    number: float | None = Field(default=None, description="Where it lies on an axis of numbers.")
    seed: int | None = Field(default=None, description="The only seed of the row that counts; None for all of them.")


@final
class Swept(BaseModel):
    """The axis of a sweep, as it is drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    axis: str = Field(description="Its name on the command line.")
    label: str = Field(description="Its name on the chart.")
    points: tuple[Point, ...] = Field(description="By value, in order.")
    beside: tuple[str, ...] = Field(default=(), description="Rows without a value, drawn for comparison.")
    logarithmic: bool = Field(default=False, description="Whether numbers are spaced by their ratio.")
    relative: bool = Field(
        default=False,
        description="Draw performance relative to the single networks (cross-stitch, figure 2), else the gain over them.",
    )
