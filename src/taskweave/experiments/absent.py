"""Data that a recipe names and that are not on this machine."""

from __future__ import annotations

from pathlib import Path

from taskweave.experiments.data import sets_of
from taskweave.experiments.recipe import Recipe


def absent_data(recipe: Recipe) -> dict[str, Path]:
    """{name of a data set or further test: its path} of those whose path does not exist."""
    every = {**sets_of(recipe.data), **{name: test.data for name, test in recipe.further_tests.items()}}
    return {name: one.path for name, one in every.items() if one.path is not None and not one.path.exists()}
