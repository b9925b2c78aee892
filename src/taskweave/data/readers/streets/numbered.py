"""Trees in which a sample's files have one number each, in a folder per kind: image/{i}, label/{i}, depth/{i}."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def numbers_of(folder: Path, kinds: Sequence[str], suffix: str) -> list[int]:
    """The numbers i of ``folder/<kind>/{i}<suffix>``, rising; the first kind is the images.

    Raises ValueError where another kind has other numbers: an archive that was unpacked in part, or two mixed.
    """
    first, *others = kinds
    numbers = _numbers(folder / first, suffix)
    for kind in others:
        found = _numbers(folder / kind, suffix)
        if found == numbers:
            continue
        alone = sorted(found ^ numbers)
        where = folder / (kind if alone[0] in found else first)
        raise ValueError(
            f"{folder / first} has {len(numbers)} files {{i}}{suffix} and {folder / kind} has {len(found)}: expected the "
            f"same numbers in both; {where / f'{alone[0]}{suffix}'} has no counterpart, as {len(alone)} in all; "
            "unpack the archive again, or remove what has no counterpart"
        )
    return sorted(numbers)


def _numbers(folder: Path, suffix: str) -> set[int]:
    return {int(file.stem) for file in folder.glob(f"*{suffix}") if file.stem.isdecimal()}
