"""COCO's json: boxes of any classes; many other data sets are published in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taskweave.data.facts import DETECTION, Folder, SetFacts
from taskweave.data.readers.boxes.boxes_set import (
    BoxSet,
    Classes,
    Found,
    Picture,
    chosen_classes,
    files_of,
    four_numbers,
    need_classes,
)
from taskweave.data.readers.faults import Accept, Faults
from taskweave.data.readers.files import beside, read_json, read_picture, require_folder
from taskweave.data.readers.fileset import Field
from taskweave.parts import states


def _facts(options: Mapping[str, Any]) -> SetFacts:
    return SetFacts("COCO", (DETECTION,), objects=options["classes"] or ())


@states(facts=_facts, check=need_classes)
def coco(
    part: str,
    *,
    path: Folder,
    train_images: Path = Path("train2017"),
    train_annotations: Path = Path("annotations/instances_train2017.json"),
    test_images: Path = Path("val2017"),
    test_annotations: Path = Path("annotations/instances_val2017.json"),
    classes: Classes = None,
    accept: Accept = ("empty", "outside"),
) -> BoxSet:
    """Images and a json in COCO's form for each part: ``images``, ``annotations`` and ``categories``.

    ``bbox`` is x, y, width, height in pixels from 0. Crowds (``iscrowd`` 1) are ignored boxes. Category ids, which have
    gaps in COCO (1 to 90 for 80 classes), become labels 1, 2, ... in the order of the ids. The key of an image is its file
    name; images without objects stay in.

    Args:
        part: "train" or "test".
        path: The folder that the other paths count from.
        train_images: Images of the train part.
        train_annotations: Its json.
        test_images: Images of the test part.
        test_annotations: Its json.
        classes: Those to keep, in this order, label 1 first; None for all, which a recipe has to name.
        accept: Faults to count and warn of. By default boxes without area, of which instances_train2017 has two
            (annotations 918 and 2206849, 0 high: left out), and boxes that end beyond the image, as x + width is rounded
            (clipped).
    """
    files = {"train": (train_images, train_annotations), "test": (test_images, test_annotations)}
    images, annotations = files_of(Path(path), part, files)
    require_folder(images, "the images that the json names")
    content = _content(annotations)
    names = _names(_by_id(content, "categories", annotations), annotations)
    chosen = chosen_classes(classes, tuple(names.values()), str(annotations))
    pictures = _by_id(content, "images", annotations)
    faults = Faults(accept)
    found = _objects(content, annotations, pictures=pictures, names=names, chosen=chosen, faults=faults)
    faults.warn()
    listed = [_picture(images, row, found[number], annotations) for number, row in pictures.items()]
    return BoxSet(listed, labels=(DETECTION,), objects=chosen, where=str(annotations))


def _content(path: Path) -> Mapping[str, Any]:
    holds = "images, annotations and categories"
    there = beside(path) or "no json files"
    content = read_json(path, missing=f"{path.parent} has {there}; give one of these", holds=holds)
    for name in ("images", "annotations", "categories"):
        if not isinstance(content.get(name), list):
            raise ValueError(f"{path} has no list {name!r}: expected {holds}")
    return content


def _by_id(content: Mapping[str, Any], name: str, path: Path) -> dict[int, Mapping[str, Any]]:
    """The rows of a list by their id; ValueError where two have the same."""
    rows: dict[int, Mapping[str, Any]] = {}
    first: dict[int, int] = {}
    for place, row in enumerate(content[name]):
        number = _value(row, "id", f"{path}, {name}[{place}]")
        if number in rows:
            raise ValueError(f"{path}, {name}[{place}] has id {number}, which {name}[{first[number]}] has: give it another")
        rows[number], first[number] = row, place
    return rows


def _names(categories: Mapping[int, Mapping[str, Any]], path: Path) -> dict[int, str]:
    names = {number: str(_value(categories[number], "name", f"{path}, category {number}")) for number in sorted(categories)}
    if twice := {name for name in names.values() if list(names.values()).count(name) > 1}:
        raise ValueError(f"{path} calls several categories {min(twice)!r}: names are unique; rename one")
    return names


def _objects(
    content: Mapping[str, Any],
    path: Path,
    *,
    pictures: Mapping[int, Mapping[str, Any]],
    names: Mapping[int, str],
    chosen: Sequence[str],
    faults: Faults,
) -> dict[int, Found]:
    labels = {name: label for label, name in enumerate(chosen, start=1)}
    found = {number: Found() for number in pictures}
    for number, row in _by_id(content, "annotations", path).items():
        where = f"{path}, annotation {number}"
        image, category = _value(row, "image_id", where), _value(row, "category_id", where)
        if image not in pictures:
            faults.note("missing image", f"{where}: image_id {image} is not in 'images'")
            continue
        if category not in names:
            faults.note("unknown class", f"{where}: category_id {category} is not in 'categories', which has {list(names)}")
            continue
        x, y, width, height = four_numbers(_value(row, "bbox", where), f"{where}: bbox")
        corners = (x, y, x + width, y + height)
        box = faults.checked(corners, _size(pictures[image], f"{path}, image {image}"), where)
        if box is not None and names[category] in labels:
            found[image].add(box, labels[names[category]], ignore=bool(row.get("iscrowd", 0)))
    return found


def _size(row: Mapping[str, Any], where: str) -> tuple[int, int]:
    return int(_value(row, "height", where)), int(_value(row, "width", where))


def _picture(folder: Path, row: Mapping[str, Any], found: Found, path: Path) -> Picture:
    where = f"{path}, image {row['id']}"
    name = str(_value(row, "file_name", where))
    if not (folder / name).is_file():
        raise FileNotFoundError(f"{folder / name} does not exist: {where} names it; restore the file or remove the entry")
    return Picture(name, name, Field(folder / name, read_picture), _size(row, where), found.packed(), where)


def _value(row: Mapping[str, Any], name: str, where: str) -> Any:
    if not isinstance(row, Mapping) or name not in row:
        raise ValueError(f"{where} has no {name!r}: add it")
    return row[name]
