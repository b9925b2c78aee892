"""The manners of every part of a recipe."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Choice(BaseModel):
    """Frozen, typed, and unknown keys refused. Everything in it is written to the recipe and counted in its hash."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
