"""What `taskweave recipes` lists: which table, which data, what it costs. Read from a file: no recipe is built."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, final

FILE = "costs.json"
"""Beside this file; written by `python -m taskweave.recipes.costing`, checked by `test_recipe_contract`."""


@final
@dataclass(frozen=True)
class NeededData:
    """A data set of a recipe. name: for ``--data name=path`` where there are several.  title: for people.  kind: the layout
    that the recipe reads, as ``taskweave inspect-data FOLDER`` calls it.  ours: nothing to fetch."""

    name: str
    title: str
    kind: str
    ours: bool = False


@final
@dataclass(frozen=True)
class NetworkCost:
    """parameters: trained numbers.  flops: of one forward pass of one test picture."""

    parameters: int
    flops: int


@final
@dataclass(frozen=True)
class FormCost:
    """What one form of a recipe takes with one seed, from nothing stored.

    trainings, steps: of all its networks, the common start too.
    training_flops: of all steps, forward and backward; a multiply-add is 2. Reading, tests and units' own cost of the
        optimiser are not in it.
    minutes: of the small form, without a GPU; None for the full size, and where nobody knows.
    cores: on how many it was run so (see docs/results); 0 where it was not run, and `--dry-run` estimated it on one.
    networks: {title: size} of every different network.
    """

    recipe: str
    data: tuple[NeededData, ...]
    trainings: int
    steps: int
    training_flops: int
    minutes: float | None
    cores: int
    networks: Mapping[str, NetworkCost]


@final
@dataclass(frozen=True)
class Listed:
    """One recipe of ours. paper, table: "" where none prints a table of it.  full: None where the small form is all."""

    name: str
    summary: str
    paper: str
    table: str
    full: FormCost | None
    small: FormCost


@cache
def listed() -> tuple[Listed, ...]:
    """All recipes that come with taskweave, by name."""
    content = json.loads((files("taskweave.recipes") / FILE).read_text(encoding="utf-8"))
    return tuple(_listed(name, one) for name, one in content.items())


def _listed(name: str, content: Mapping[str, Any]) -> Listed:
    full, small = content["full"], content["small"]
    return Listed(
        name=name,
        summary=content["summary"],
        paper=content["paper"],
        table=content["table"],
        full=None if full is None else _form(full),
        small=_form(small),
    )


def _form(content: Mapping[str, Any]) -> FormCost:
    return FormCost(
        **{
            **content,
            "data": tuple(NeededData(**one) for one in content["data"]),
            "networks": {title: NetworkCost(**one) for title, one in content["networks"].items()},
        }
    )


def plain(one: Listed) -> dict[str, Any]:
    """A recipe as JSON values."""
    return asdict(one)


def write(recipes: tuple[Listed, ...], path: Path | None = None) -> Path:
    """Write the file, whole or not at all. path: in place of the package's own."""
    from taskweave.files import write_text

    place = path or Path(__file__).with_name(FILE)
    content = {one.name: {key: value for key, value in plain(one).items() if key != "name"} for one in recipes}
    write_text(place, json.dumps(content, indent=1) + "\n")
    return place
