"""Looks at a folder: which layout it is in, what is in it, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.data.inspection.box_layouts import BOX_LAYOUTS
from taskweave.data.inspection.dense_layouts import DENSE_LAYOUTS
from taskweave.data.inspection.layout import Layout
from taskweave.data.inspection.looking import WRONG, Look
from taskweave.data.inspection.overlap import overlaps, unlisted
from taskweave.data.inspection.result import Inspection, LayoutFacts, Nearly, Warned
from taskweave.data.inspection.store_layout import STORE_LAYOUTS
from taskweave.data.inspection.whole_layouts import WHOLE_LAYOUTS
from taskweave.progress import Progress, Silent

LAYOUTS: tuple[Layout, ...] = (*DENSE_LAYOUTS, *BOX_LAYOUTS, *WHOLE_LAYOUTS, *STORE_LAYOUTS)
_FOLDERS = 50


def inspect(path: Path, *, samples: int = 20, progress: Progress | None = None) -> Inspection:
    """Everything that can be said of the folder `path` (or of a .mat file in it) without training on it.

    samples: pictures of each split to read, evenly spaced; 0 for all. Counts, lists and overlaps are always of all.
    Raises FileNotFoundError where there is no such folder, ValueError for fewer samples than 0.
    """
    path = Path(path)
    if path.is_file() and path.suffix == ".mat":
        path = path.parent
    if not path.is_dir():
        found = "is a file" if path.exists() else "does not exist"
        raise FileNotFoundError(f"{path} {found}: expected a folder of data; give the one that the archive was unpacked to")
    if samples < 0:
        raise ValueError(f"samples is how many pictures of a split to read, 0 for all; got {samples}")
    layouts = [layout for layout in LAYOUTS if not layout.missing(path)]
    facts = tuple(_inspected(layout, path, samples, progress or Silent()) for layout in layouts)
    names = sorted(file.name for file in path.iterdir())
    if facts:
        return Inspection(str(path), facts, _unknown(names, layouts), (), {})
    return Inspection(str(path), (), tuple(names), _nearly(path), _inside(path))


def _inspected(layout: Layout, path: Path, samples: int, progress: Progress) -> LayoutFacts:
    """All views of a layout, and what shows only when splits are seen together."""
    look = Look(layout, samples, progress)
    try:
        views = layout.views(path)
        if not views:
            raise ValueError(f"{path} has no split that can be read: expected a train part and a test part with labels")
        for view in sorted(views, key=lambda one: "train" not in one.split):
            look.at(view)
        look.notes += layout.told(path) if layout.told else []
    except WRONG as error:
        look.warned.append(Warned("cannot be opened", "", str(error)))
    if layout.listed and not layout.among_others and look.whole and len(look.whole) == len(look.splits):
        look.warned += unlisted(look.whole)
    look.warned += overlaps(look.whole)
    splits, warned, notes = tuple(look.splits.values()), tuple(look.warned), tuple(dict.fromkeys(look.notes))
    return LayoutFacts(layout.name, layout.reader, layout.choice, splits, warned, notes)


def _unknown(names: Sequence[str], layouts: Sequence[Layout]) -> tuple[str, ...]:
    """Names at the top that no layout uses."""
    known = [name for layout in layouts for name in layout.known_names]
    return tuple(name for name in names if not any(Path(name).match(pattern) for pattern in known))


def _nearly(path: Path) -> tuple[Nearly, ...]:
    """Layouts of which some part is there, the most complete first."""
    found = []
    for layout in LAYOUTS:
        lacks = layout.missing(path)
        has = tuple(need for need in layout.needs if need not in lacks)
        if has:
            found.append(Nearly(layout.name, has, lacks))
    return tuple(sorted(found, key=lambda one: len(one.lacks) / len(one.has)))


def _inside(path: Path) -> dict[str, tuple[str, ...]]:
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir())[:_FOLDERS]
    known = {folder.name: tuple(one.name for one in LAYOUTS if not one.missing(folder)) for folder in folders}
    return {name: layouts for name, layouts in known.items() if layouts}
