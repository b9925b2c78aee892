"""Makes the sample of pets that ships inside the package: 100 images of the Oxford-IIIT Pet data set at 128 px.

    .venv/bin/python tools/make_pets_sample.py ../shared/data/oxford-iiit-pet [--out FOLDER]

Half cats, half dogs, as many breeds as there are, drawn by a hash of the name: the same data give the same files (with one
version of Pillow to the byte). Only images of trainval with exactly one head box and a pet in their trimap, stored as JPEG.
Each is cut to a square round the pet that holds the head, and made 128 px wide. The folder is in the layout of the release,
so `pets` reads it too; ``train.txt`` and ``val.txt`` are beside ``trainval.txt``, 30, 10 and 10 of each species.
"""

from __future__ import annotations

import argparse
import csv
import math
import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from taskweave.data.readers.boxes.voc import read_voc_annotation
from taskweave.data.readers.faults import Faults
from taskweave.data.readers.whole_images.pets import BREEDS, SPECIES_NAMES, Pet, read_pets
from taskweave.data.splits import drawn

SIZE, OF_EACH, SEED = 128, 50, 0
PARTS = {"train": 30, "val": 10, "test": 10}
PET = 1
SKIPPED = {
    "Abyssinian_101": "stamped by an agency",
    "great_pyrenees_187": "shows a person",
    "scottish_terrier_178": "shows persons",
}
"""Looked at and left out. What is left was looked at, too."""
SOURCE = "https://www.robots.ox.ac.uk/~vgg/data/pets/"
OWNER = "photographer on the web site the data set's authors took it from; not named in the release"
CHANGES = "cut to the square {left},{top} with side {side}, resized to {size} x {size}, stored again"


@dataclass(frozen=True)
class Chosen:
    """One image that can be taken. square: left, top, side in its pixels. box: of the head, edges in pixels."""

    pet: Pet
    square: tuple[int, int, int]
    box: tuple[float, float, float, float]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pets", type=Path, help="the data set: images/ and annotations/")
    parser.add_argument("--out", type=Path, default=Path("src/taskweave/data/readers/whole_images/pets_sample_files"))
    given = parser.parse_args()
    make(given.pets, given.out)


def make(source: Path, out: Path) -> None:
    """Write the sample into `out`; images, trimaps, boxes and lists there before are removed, texts stay."""
    parts = choose(source)
    every = [chosen for members in parts.values() for chosen in members]
    for folder in ("images", "annotations"):
        shutil.rmtree(out / folder, ignore_errors=True)
    for folder in ("images", "annotations/trimaps", "annotations/xmls"):
        (out / folder).mkdir(parents=True)
    for chosen in every:
        _write(source, out, chosen)
    for name, members in {**parts, "trainval": parts["train"] + parts["val"], "list": every}.items():
        rows = sorted(f"{one.pet.key} {one.pet.breed + 1} {one.pet.species + 1} 1\n" for one in members)
        (out / "annotations" / f"{name}.txt").write_text("".join(rows), encoding="utf-8")
    _attribute(out, every)


def choose(source: Path) -> dict[str, list[Chosen]]:
    """{part: its images}."""
    pets = {pet.key: pet for pet in read_pets(source / "annotations" / "trainval.txt")}
    by_breed: dict[int, list[Chosen]] = defaultdict(list)
    for key in drawn(pets, seed=SEED):
        candidate = _candidate(source, pets[key])
        if candidate is not None:
            by_breed[pets[key].breed].append(candidate)
    parts: dict[str, list[Chosen]] = {part: [] for part in PARTS}
    for species in range(len(SPECIES_NAMES)):
        breeds = [members for members in by_breed.values() if members[0].pet.species == species]
        taken = {one.pet.key: one for one in _in_turns(breeds)[:OF_EACH]}
        if len(taken) < OF_EACH:
            raise SystemExit(f"{source} has {len(taken)} {SPECIES_NAMES[species]}s that can be taken, {OF_EACH} are needed")
        order = [taken[key] for key in drawn(taken, seed=SEED + 1)]
        for part, count in PARTS.items():
            parts[part] += order[:count]
            order = order[count:]
    return parts


def _in_turns(groups: Sequence[Sequence[Chosen]]) -> list[Chosen]:
    """The first of each group, then the second of each, ..."""
    longest = max(map(len, groups))
    return [group[place] for place in range(longest) for group in groups if place < len(group)]


def _candidate(source: Path, pet: Pet) -> Chosen | None:
    xml = source / "annotations" / "xmls" / f"{pet.key}.xml"
    trimap = np.asarray(Image.open(source / "annotations" / "trimaps" / f"{pet.key}.png"))
    with Image.open(source / "images" / f"{pet.key}.jpg") as image:
        form, (width, height) = image.format, image.size
    if pet.key in SKIPPED or form != "JPEG" or not xml.is_file() or min(width, height) < SIZE or not (trimap == PET).any():
        return None
    _, objects = read_voc_annotation(xml, SPECIES_NAMES, faults=Faults(()), known=SPECIES_NAMES)
    if len(objects.boxes) != 1:
        return None
    x1, y1, x2, y2 = objects.boxes[0].tolist()
    rows, columns = np.nonzero(trimap == PET)
    side = min(width, height)
    left = _start(columns.min(), columns.max() + 1, (x1, x2), side, width)
    top = _start(rows.min(), rows.max() + 1, (y1, y2), side, height)
    return None if left is None or top is None else Chosen(pet, (left, top, side), (x1, y1, x2, y2))


def _start(first: float, last: float, head: tuple[float, float], side: int, length: int) -> int | None:
    """Where a window of `side` pixels begins: its middle is the pet's, as far as it holds the head and stays inside."""
    low, high = max(0, math.ceil(head[1] - side)), min(length - side, math.floor(head[0]))
    return None if low > high else min(max(round((first + last - side) / 2), low), high)


def _write(source: Path, out: Path, chosen: Chosen) -> None:
    key, (left, top, side) = chosen.pet.key, chosen.square
    square = (left, top, left + side, top + side)
    with Image.open(source / "images" / f"{key}.jpg") as image:
        small = image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.LANCZOS, box=square)
    small.save(out / "images" / f"{key}.jpg", quality=88, optimize=True)
    with Image.open(source / "annotations" / "trimaps" / f"{key}.png") as trimap:
        values = trimap.resize((SIZE, SIZE), Image.Resampling.NEAREST, box=square)
    values.save(out / "annotations" / "trimaps" / f"{key}.png", optimize=True)
    scale = SIZE / side
    x1, y1, x2, y2 = chosen.box
    corners = {
        "xmin": math.floor((x1 - left) * scale) + 1,  # pixels from 1, the last one included
        "ymin": math.floor((y1 - top) * scale) + 1,
        "xmax": math.ceil((x2 - left) * scale),
        "ymax": math.ceil((y2 - top) * scale),
    }
    box = "".join(f"<{name}>{value}</{name}>" for name, value in corners.items())
    (out / "annotations" / "xmls" / f"{key}.xml").write_text(
        f"<annotation><size><width>{SIZE}</width><height>{SIZE}</height><depth>3</depth></size><object>"
        f"<name>{SPECIES_NAMES[chosen.pet.species]}</name><bndbox>{box}</bndbox></object></annotation>\n",
        encoding="utf-8",
    )


def _attribute(out: Path, every: Sequence[Chosen]) -> None:
    with (out / "ATTRIBUTION.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["image", "breed", "source", "owner", "licence", "changes"])
        for one in sorted(every, key=lambda one: one.pet.key):
            left, top, side = one.square
            changes = CHANGES.format(left=left, top=top, side=side, size=SIZE)
            name = f"images/{one.pet.key}.jpg"
            writer.writerow([name, BREEDS[one.pet.breed], SOURCE, OWNER, "CC BY-SA 4.0", changes])


if __name__ == "__main__":
    main()
