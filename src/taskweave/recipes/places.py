"""Where a recipe's data lie: its own places, or those that somebody gave."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from taskweave.parts import unknown

Given = Path | Mapping[str, Path] | None
"""Nothing, one path, or a path for each data set by its name in the recipe."""


def place(given: Given, default: Path) -> Path:
    """Where the only data set of a recipe lies. Raises ValueError for places by name."""
    if isinstance(given, Mapping):
        raise ValueError(f"this recipe has one data set: --data takes its path, got names {list(given)}")
    return default if given is None else given


def places(given: Given, defaults: Mapping[str, Path]) -> dict[str, Path]:
    """Where each data set of a recipe lies. Raises ValueError for a path without a name, or an unknown name."""
    if given is None:
        return dict(defaults)
    if not isinstance(given, Mapping):
        wanted = " ".join(f"--data {name}=..." for name in defaults)
        raise ValueError(f"this recipe has {len(defaults)} data sets, got one path {given}; say whose it is: {wanted}")
    for name in given:
        if name not in defaults:
            raise ValueError(unknown(f"data set {name!r} in --data", name, list(defaults)))
    return {**defaults, **given}
