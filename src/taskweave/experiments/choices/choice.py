"""The manners of every part of a recipe."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from taskweave.parts import Part


class Choice(BaseModel):
    """Frozen, typed, and unknown keys refused. Everything in it is written to the recipe and counted in its hash."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    added: ClassVar[frozenset[str]] = frozenset()
    """Fields that came after runs were stored: at their default they are not counted, so that those runs stay known."""

    def determining(self, *, without: Collection[str] = ()) -> dict[str, Any]:
        """What it is known by, as JSON values."""
        fields = type(self).model_fields
        silent = {name for name in self.added if getattr(self, name) == fields[name].get_default(call_default_factory=True)}
        plain = self.model_dump(mode="json", exclude=silent | set(without))
        return {name: _inner(getattr(self, name), value) for name, value in plain.items()}


def _inner(value: Any, plain: Any) -> Any:
    """`plain`, the JSON form of `value`, with every choice inside in its own determining form."""
    if isinstance(value, Choice):
        return value.determining()
    if isinstance(value, Part):
        return value.identity()
    if isinstance(value, Mapping):
        return {name: _inner(value[name], part) for name, part in plain.items()}
    if isinstance(value, tuple):
        return [_inner(one, part) for one, part in zip(value, plain, strict=True)]
    return plain
