"""What a paper prints for the methods of a comparison: shown beside the results, never counted as one of them."""

from __future__ import annotations

from typing import final

from pydantic import BaseModel, ConfigDict, Field


@final
class Printed(BaseModel):
    """One printed table of a paper, in a recipe's names. It changes no result and is no part of any hash."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

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
