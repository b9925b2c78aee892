"""Boxes in a CSV file beside a folder of images; and birds around wind turbines, which are kept so."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge

from taskweave.data.dataset import LabelledSet
from taskweave.data.facts import DETECTION, Folder, SetFacts, Size
from taskweave.data.readers.boxes.boxes_set import (
    BoxSet,
    Classes,
    Found,
    Picture,
    files_of,
    need_classes,
    number_in,
    size_of_picture,
)
from taskweave.data.readers.faults import Accept, Faults
from taskweave.data.readers.files import ReadLabels, beside, counted_from_one, read_names, read_picture, require_folder
from taskweave.data.readers.fileset import Field
from taskweave.data.transforms.tiling import Windowed, right_halves, tile_windows
from taskweave.parts import states

COLUMNS = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")
_SUFFIXES = (".jpg", ".jpeg", ".png")


def _csv_facts(options: Mapping[str, Any]) -> SetFacts:
    return SetFacts("boxes in CSV", (DETECTION,), objects=options["classes"] or (), size=(300, 300), named=True)


@states(facts=_csv_facts, check=need_classes)
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
    files = {"train": (train_images, train_annotations), "test": (test_images, test_annotations)}
    images, annotations = files_of(Path(path), part, files)
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
    found = _objects(rows, sizes, images, known, float(counted_from_one), faults)
    faults.warn()
    where = str(annotations)
    pictures = [
        Picture(name, name, Field(images / name, read_picture), size, found[name].packed(), where)
        for name, size in sizes.items()
    ]
    return BoxSet(pictures, labels=(DETECTION,), objects=known, where=str(annotations))


Row = tuple[str, dict[str, str]]
"""Where it stands, and its cells by column."""


def read_rows(path: Path) -> Iterator[Row]:
    """Rows of a CSV file with at least `COLUMNS`; ValueError names the line that lacks some."""
    if not path.is_file():
        there = beside(path) or "no csv files"
        raise FileNotFoundError(f"{path} does not exist: {path.parent} has {there}; give one of these")
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
    rows: Sequence[Row], sizes: dict[str, tuple[int, int]], images: Path, known: Sequence[str], shift: float, faults: Faults
) -> dict[str, Found]:
    found = {name: Found() for name in sizes}
    for where, row in rows:
        name = row["filename"]
        if name not in sizes:
            faults.note("missing image", f"{where}: image {name!r} is not in {images}")
            continue
        size = (int(number_in(row["height"], f"{where}: height")), int(number_in(row["width"], f"{where}: width")))
        if size != sizes[name]:
            raise ValueError(
                f"{where} says {name} is {size[1]} wide and {size[0]} high; it is {sizes[name][1]} wide and "
                f"{sizes[name][0]} high: its boxes would lie elsewhere; correct the row"
            )
        x1, y1, x2, y2 = (number_in(row[column], f"{where}: {column}") for column in COLUMNS[4:])
        box = faults.checked((x1 - shift, y1 - shift, x2, y2), size, where)
        if row["class"] not in known:
            faults.unknown(row["class"], known, where)
        elif box is not None:
            found[name].add(box, known.index(row["class"]) + 1)
    return found


BIRD_CLASSES = ("bird", "forest", "sky", "wind turbine")
SEGMENTATION = "segmentation"


def _birds_facts(options: Mapping[str, Any]) -> SetFacts:
    height, width = options["image_size"]
    size = (height, width // 2) if options["area"] == "right half" else (height, width)
    return SetFacts("birds", (DETECTION, SEGMENTATION), BIRD_CLASSES, ("bird",), size=size, named=True)


@states(facts=_birds_facts)
def birds(
    part: str,
    *,
    path: Folder,
    area: Literal["whole", "right half"] = "whole",
    least_height: Annotated[float, Ge(0.0)] = 15.0,
    tile: Size | None = None,
    overlap: Annotated[int, Ge(0)] = 100,
    train_split: str = "train",
    test_split: str = "test",
    image_size: Size = (3744, 5616),
    accept: Accept = (),
) -> LabelledSet:
    """Birds in large landscapes (Kinki, Tomamae): ``path/{images/, boxes.csv, masks/, lists/}``.

    The sets were never published as files; this is the form in which a copy is read:

    - ``images/<key>.jpg`` (or .png)
    - ``boxes.csv``: columns filename,width,height,class,xmin,ymin,xmax,ymax, one row per bird, edges in pixels (see
      `box_csv`); the class is ``bird``. Images without rows show none.
    - ``masks/<key>.png``: uint8, 0 = unlabelled, 1 bird, 2 forest, 3 sky, 4 wind turbine. Optional: Tomamae has none.
    - ``lists/<split>.txt``: keys, one a line.

    Args:
        part: "train", "test", or the name of another list.
        path: The folder.
        area: Which part of each image: ``right half`` for Kinki as in the cross-connected paper (2808 x 3744 of 5616 x 3744
            pixels: what surrounds the turbine), ``whole`` for Tomamae (3840 x 2160).
        least_height: A lower bird is an ignored box; 15 pixels in the paper. 0 ignores none.
        tile: (height, width) of the tiles that images are cut into for training where a network cannot hold such images; a
            test is always of whole images. See `tiled`.
        overlap: Pixels that neighbouring tiles share.
        train_split: The list that is the train part.
        test_split: The list that is the test part.
        image_size: (height, width) of the files, for the cost of a picture.
        accept: Faults to count and warn of.
    """
    path = Path(path)
    require_folder(path, "images/, boxes.csv, masks/ and lists/")
    if area not in ("whole", "right half"):
        raise ValueError(f"area is 'whole' or 'right half', got {area!r}")
    listed = path / "lists" / f"{({'train': train_split, 'test': test_split}).get(part, part)}.txt"
    every = read_box_csv(path / "images", path / "boxes.csv", classes=("bird",), accept=accept)
    by_key = {Path(picture.key).stem: picture for picture in every.pictures}
    pictures = []
    for number, key in enumerate(read_names(listed), start=1):
        if key not in by_key:
            raise FileNotFoundError(
                f"{path / 'images'} has no image {key!r}, which {listed}, name {number} lists: restore it"
            )
        pictures.append(_complete(by_key[key], key, path / "masks" / f"{key}.png", least_height))
    labels = (DETECTION, SEGMENTATION)
    found = BoxSet(pictures, labels=labels, objects=("bird",), classes=BIRD_CLASSES, where=str(listed))
    seen = found if area == "whole" else Windowed(found, right_halves(found.sizes))
    return seen if tile is None or part == "test" else tiled(seen, tile, overlap=overlap)


def _complete(picture: Picture, key: str, mask: Path, least_height: float) -> Picture:
    boxes = picture.objects.boxes
    low = boxes[:, 3] - boxes[:, 1] < least_height
    objects = replace(picture.objects, ignore=np.logical_or(picture.objects.ignore, low))
    fields = {SEGMENTATION: Field(mask, ReadLabels(counted_from_one(len(BIRD_CLASSES))))}
    return replace(picture, key=key, scene=key, objects=objects, fields=fields)


def tiled(dataset: BoxSet | Windowed, tile: tuple[int, int], *, overlap: int, kept: float = 0.5) -> Windowed:
    """Cut `dataset` into overlapping tiles; `merge_windows` with ``tiled(...).windows`` brings detections back together.

    Args:
        tile: (height, width) of a tile in pixels.
        overlap: Pixels that neighbouring tiles share, at least. Choose the length of the largest bird, so that every bird
            lies entirely in some tile.
        kept: See `Windowed`.
    """
    return Windowed(dataset, tile_windows(dataset.sizes, tile, overlap=overlap), kept=kept)
