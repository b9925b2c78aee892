"""A plain CSV file of boxes beside a folder of images."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from taskweave.data.facts import DETECTION, Folder, SetFacts
from taskweave.data.readers.boxes.boxes_set import (
    BoxSet,
    Classes,
    Found,
    Picture,
    label_of,
    need_classes,
    part_of,
    size_of_picture,
)
from taskweave.data.readers.faults import Accept, Faults
from taskweave.data.readers.files import read_picture
from taskweave.data.readers.fileset import Field, require_folder
from taskweave.parts import states

COLUMNS = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")
_SUFFIXES = (".jpg", ".jpeg", ".png")


def _facts(options: Mapping[str, Any]) -> SetFacts:
    return SetFacts("boxes in CSV", (DETECTION,), objects=options["classes"] or (), size=(300, 300), named=True)


@states(facts=_facts, check=need_classes)
def box_csv(
    part: str,
    *,
    path: Folder,
    train_images: Path = Path("images/train"),
    train_annotations: Path = Path("annotations/train_labels.csv"),
    test_images: Path = Path("images/test"),
    test_annotations: Path = Path("annotations/test_labels.csv"),
    classes: Classes = None,
    counted_from_one: bool = False,
    accept: Accept = (),
) -> BoxSet:
    """A folder of images and a CSV file of boxes for each part, as labelling tools write them and NAIP's wind turbines lie.

    The columns are ``filename,width,height,class,xmin,ymin,xmax,ymax``, one row per box. All images (.jpg, .jpeg, .png) of
    the folder are samples; one without rows has no objects. The key is the file's name.

    Args:
        part: "train" or "test".
        path: The folder that the other paths count from.
        train_images: Images of the train part.
        train_annotations: Its CSV.
        test_images: Images of the test part.
        test_annotations: Its CSV.
        classes: All that may occur, label 1 first; None for those that do, sorted. A recipe has to name them: a training
            and a test file may not show the same ones.
        counted_from_one: Whether coordinates count pixels from 1 and include the last one, as VOC's do; else they are
            edges.
        accept: Faults to count and warn of.
    """
    images = Path(path) / part_of(part, {"train": train_images, "test": test_images})
    annotations = Path(path) / part_of(part, {"train": train_annotations, "test": test_annotations})
    return read_box_csv(images, annotations, classes=classes, counted_from_one=counted_from_one, accept=accept)


def read_box_csv(
    images: Path, annotations: Path, *, classes: Sequence[str] | None, counted_from_one: bool = False, accept: Accept = ()
) -> BoxSet:
    """The images of a folder with the boxes of a CSV file, see `box_csv`."""
    require_folder(images, "the images that the CSV file names")
    rows = list(read_rows(annotations))
    known = tuple(dict.fromkeys(classes)) if classes is not None else tuple(sorted({row["class"] for _, row in rows}))
    faults = Faults(accept)
    sizes = {file.name: size_of_picture(file) for file in sorted(images.iterdir()) if file.suffix.lower() in _SUFFIXES}
    found = _objects(rows, sizes, images, known=known, shift=float(counted_from_one), faults=faults)
    faults.warn()
    pictures = [
        Picture(name, name, Field(images / name, read_picture), size, found[name].packed(), str(annotations))
        for name, size in sizes.items()
    ]
    return BoxSet(pictures, labels=(DETECTION,), objects=known, where=str(annotations))


Row = tuple[str, dict[str, str]]
"""Where it stands, and its cells by column."""


def read_rows(path: Path) -> Iterator[Row]:
    """Rows of a CSV file with at least `COLUMNS`; ValueError names the line that lacks some."""
    if not path.is_file():
        there = sorted(other.name for other in path.parent.glob("*.csv")) if path.parent.is_dir() else []
        raise FileNotFoundError(f"{path} does not exist: {path.parent} has {there or 'no csv files'}; give one of these")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{path}, line 1 has columns {reader.fieldnames}: expected {','.join(COLUMNS)}")
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if any(row[name] is None for name in COLUMNS):
                raise ValueError(f"{where} has fewer cells than line 1: expected {','.join(COLUMNS)}")
            yield where, {name: row[name].strip() for name in COLUMNS}


def _objects(
    rows: Sequence[Row],
    sizes: dict[str, tuple[int, int]],
    images: Path,
    *,
    known: Sequence[str],
    shift: float,
    faults: Faults,
) -> dict[str, Found]:
    found = {name: Found() for name in sizes}
    for where, row in rows:
        name = row["filename"]
        if name not in sizes:
            faults.note("missing image", f"{where}: image {name!r} is not in {images}")
            continue
        size = (int(_number(row, "height", where)), int(_number(row, "width", where)))
        if size != sizes[name]:
            raise ValueError(
                f"{where} says {name} is {size[1]} wide and {size[0]} high; it is {sizes[name][1]} wide and "
                f"{sizes[name][0]} high: its boxes would lie elsewhere; correct the row"
            )
        x1, y1, x2, y2 = (_number(row, column, where) for column in COLUMNS[4:])
        box = faults.checked((x1 - shift, y1 - shift, x2, y2), size, where)
        if row["class"] not in known:
            faults.note("unknown class", f"{where}: unknown class {row['class']!r}; expected one of {list(known)}")
        elif box is not None:
            found[name].add(box, label_of(row["class"], known, where))
    return found


def _number(row: dict[str, str], column: str, where: str) -> float:
    try:
        return float(row[column])
    except ValueError:
        raise ValueError(f"{where}: {column} is {row[column]!r}, expected a number") from None
