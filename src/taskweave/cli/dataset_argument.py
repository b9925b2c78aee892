"""A data set as it is named on the command line: a folder in a known layout, or a YAML file with a recipe's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from taskweave.data.dataset import LabelledSet
from taskweave.data.own import labelled

if TYPE_CHECKING:
    from taskweave.experiments.data import Source


@final
@dataclass(frozen=True)
class Given:
    """What was asked for. source: in JSON's types, for the record. notes: what a person may want to know."""

    parts: Mapping[str, LabelledSet]
    source: dict[str, Any]
    notes: tuple[str, ...] = ()


def opened(dataset: str, *, parts: Sequence[str], labels: Sequence[str], size: tuple[int, int] | None) -> Given:
    """The parts of a data set with these labels, at `size` or their own; () for all parts, or all labels.

    Raises FileNotFoundError where there is nothing, ValueError for a folder in no layout, or in several, a mixture of data
    sets, or an unknown part or label.
    """
    path = Path(dataset).expanduser().absolute()
    if path.is_dir():
        given = _of_folder(path, parts, labels)
    elif path.suffix in (".yaml", ".yml"):
        given = _of_recipe(path, parts, labels)
    else:
        found = "is a file" if path.exists() else "does not exist"
        raise FileNotFoundError(f"{path} {found}: give a data set's folder, or a YAML file with a recipe's data (use: ...)")
    if size is None:
        return given
    from taskweave.data.transformed import Reduced

    resized = {name: Reduced(part, size=size) for name, part in given.parts.items()}
    return Given(resized, {**given.source, "size": list(size)}, given.notes)


def _of_folder(path: Path, parts: Sequence[str], labels: Sequence[str]) -> Given:
    """All splits of the layout that the folder is in, each as its first view."""
    from taskweave.data.inspection.inspection import LAYOUTS
    from taskweave.data.inspection.layout import View

    layouts = [layout for layout in LAYOUTS if not layout.missing(path)]
    if not layouts:
        raise ValueError(
            f"{path} is in no layout that taskweave reads: `taskweave inspect-data {path}` says what it expected; or "
            "describe the data in a YAML file as in a recipe (use: ...), and pack that"
        )
    if len(layouts) > 1:
        names = [layout.reader for layout in layouts]
        raise ValueError(f"{path} can be read as {names}: say which in a YAML file (use: ..., path: ...), and pack that")
    layout = layouts[0]
    views: dict[str, View] = {}
    for view in layout.views(path):
        views.setdefault(view.split.replace(" ", "_"), view)  # a part's name becomes a folder's
    chosen = {name: views[name] for name in _known(parts, views, path)}
    opened = {name: view.open(tuple(labels) or view.labels) for name, view in chosen.items()}
    numbers = {name: view.classes for name, view in chosen.items() if view.classes is not None}
    notes = [f"{layout.name}, {', '.join(chosen)}"]
    notes += [f"{name} with {number} classes; for others, say so in a YAML file" for name, number in numbers.items()]
    return Given(opened, {"path": str(path), "use": layout.reader, "classes": numbers}, tuple(notes))


def _of_recipe(path: Path, parts: Sequence[str], labels: Sequence[str]) -> Given:
    """The train and test part of a recipe's data; what the recipe does to pictures is left to the recipe."""
    data = _block(path)
    facts = data.facts
    wanted = tuple(labels) or data.labels or facts.labels
    if unknown := [label for label in wanted if label not in facts.labels]:
        raise ValueError(f"{path}: these data are not labelled for {unknown}; they have {list(facts.labels)}")
    there = ("train", "validation", "test") if facts.own_validation else ("train", "test")
    names = _known(parts, dict.fromkeys(there), path)
    opened = {name: labelled(data.dataset(name), facts).only(wanted) for name in names}
    notes = []
    if data.size is not None:
        size = f"{data.size[0]}x{data.size[1]}"
        notes = [f"pictures are packed as they lie, not at the recipe's size; --size {size} packs them at that"]
    source = {key: value for key, value in data.dump().items() if key not in ("augment", "regions")}
    return Given(opened, source, tuple(notes))


def _block(path: Path) -> Source:
    """The data that a YAML file describes: the block alone, or that of a whole recipe."""
    import yaml
    from pydantic import ValidationError

    from taskweave.experiments.data import Source
    from taskweave.experiments.recipe import plain
    from taskweave.parts import paths_from

    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    if isinstance(said, dict) and "use" not in said:
        said = said.get("data", said)
    if isinstance(said, dict) and "sets" in said and "use" not in said:
        raise ValueError(
            f"{path} is a mixture of {list(said['sets'])}: pack each data set by itself, from a file with its block"
        )
    try:
        with paths_from(path.parent):
            return Source.model_validate(said)
    except ValidationError as error:
        raise ValueError(f"{path}: {plain(error)}; expected the data of a recipe, e.g. use: nyuv2_folder") from error


def _known(parts: Sequence[str], there: Mapping[str, Any], path: Path) -> list[str]:
    if unknown := [part for part in parts if part not in there]:
        raise ValueError(f"{path} has no part {unknown[0]!r}; it has {list(there)}")
    return list(parts) or list(there)
