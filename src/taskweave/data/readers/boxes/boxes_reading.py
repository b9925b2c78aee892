"""What readers of annotations with boxes have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Len
from PIL import Image

Classes = Annotated[tuple[str, ...], Len(1)] | None


def need_classes(options: Mapping[str, Any]) -> None:
    """The rule of data sets whose classes only their files name: a recipe says them, since no file is opened by then."""
    if options["classes"] is None:
        raise ValueError(f"the classes of {options['path']} are in its files: name them, e.g. classes: [person]")


def part_of(part: str, parts: Mapping[str, Path]) -> Path:
    """What lies under the name of a part; ValueError for another name."""
    if part not in parts:
        raise ValueError(f"there is no part {part!r}: expected one of {list(parts)}")
    return parts[part]


def size_of_picture(path: Path) -> tuple[int, int]:
    """(H, W) from an image file's head, without decoding it."""
    try:
        with Image.open(path) as file:
            return file.height, file.width
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(f"{path} is not a readable picture ({error}): write it again") from error


def label_of(name: str, known: Sequence[str], where: str) -> int:
    """The place of class `name` in `known`, from 1; ValueError names the place and what is known."""
    if name not in known:
        raise ValueError(f"{where}: unknown class {name!r}; expected one of {list(known)}")
    return known.index(name) + 1


def chosen_classes(wanted: Sequence[str] | None, available: Sequence[str], layout: str) -> tuple[str, ...]:
    """`wanted` without repetition, all where it is None; ValueError where one is not in this layout."""
    chosen = tuple(available) if wanted is None else tuple(dict.fromkeys(wanted))
    if unknown := [name for name in chosen if name not in available]:
        raise ValueError(f"{layout} has no class {unknown[0]!r}; it has {list(available)}")
    if not chosen:
        raise ValueError(f"no class is chosen: give some of {list(available)}")
    return chosen
