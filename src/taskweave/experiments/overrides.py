"""Setting any field of a recipe from a line of text: ``training.connected.steps=200``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskweave.experiments.recipe import Recipe, read


def with_settings(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with every ``dotted.path=value`` applied in turn; values are read as YAML.

    A part of a path is a key, a position in a list, or the `kind` of one of a list's items (``methods.nddr.order=paper``).
    A key may have dots of its own where it is there already (``printed.rows.NDDR.normals.within_11.25=53.5``).
    Setting a `kind`, or a `use`, starts that part afresh. Raises ValueError for a line without '=', a path that does not
    exist, and whatever the recipe refuses.
    """
    import yaml

    for line in settings:
        path, sign, text = line.partition("=")
        if not sign or not path.strip():
            raise ValueError(f"--set takes dotted.path=value, got {line!r}; e.g. training.connected.steps=200")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(f"--set {line}: the value is not YAML: {error}") from error
        content = recipe.model_dump(mode="json")
        _put(content, path.strip().split("."), value, line=line)
        recipe = read(content, f"--set {line}")
    return recipe


def _put(content: dict[str, Any], path: list[str], value: Any, *, line: str) -> None:
    here: Any = content
    part, rest = _first(here, path)
    while rest:
        key = _key(here, part, line)
        if isinstance(here, dict) and here.get(key) is None:
            here[key] = {}  # an option that was left out: its own defaults, and then this one field
        here = here[key]
        part, rest = _first(here, rest)
    last = _key(here, part, line)
    if last in ("kind", "use") and here.get(last) != value:
        here.clear()
    here[last] = value


def _first(here: Any, path: list[str]) -> tuple[str, list[str]]:
    """The path's next part and the rest: the longest key that is there, which may have dots in it."""
    if isinstance(here, dict):
        for end in range(len(path), 1, -1):
            if (key := ".".join(path[:end])) in here:
                return key, path[end:]
    return path[0], path[1:]


def _key(here: Any, part: str, line: str) -> str | int:
    if isinstance(here, dict):
        return part  # the recipe itself refuses unknown keys, and names the nearest
    if not isinstance(here, list):
        raise ValueError(f"--set {line}: there is nothing below {part!r}: what holds it is {here!r}")
    kinds = [item.get("kind") if isinstance(item, dict) else None for item in here]
    if part.isdecimal() and int(part) < len(here):
        return int(part)
    if kinds.count(part) == 1:
        return kinds.index(part)
    known = [*map(str, range(len(here))), *(kind for kind in kinds if kind)]
    raise ValueError(f"--set {line}: no {part!r} there; it takes one of {known} (a kind that is there once, or a position)")
