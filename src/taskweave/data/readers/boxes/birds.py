"""Wild birds around wind turbines: small objects in large landscapes, in a folder of our own layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge

from taskweave.data.dataset import LabelledSet
from taskweave.data.facts import DETECTION, Folder, SetFacts, Size
from taskweave.data.readers.boxes.box_csv import read_box_csv
from taskweave.data.readers.boxes.boxes_set import BoxSet, Picture
from taskweave.data.readers.faults import Accept
from taskweave.data.readers.files import ReadLabels
from taskweave.data.readers.fileset import Field, read_names, require_folder
from taskweave.data.readers.label_codes import counted_from_one
from taskweave.data.transforms.tiling import Windowed, right_halves, tile_windows
from taskweave.parts import states

BIRD_CLASSES = ("bird", "forest", "sky", "wind turbine")
SEGMENTATION = "segmentation"


def _facts(options: Mapping[str, Any]) -> SetFacts:
    height, width = options["image_size"]
    size = (height, width // 2) if options["area"] == "right half" else (height, width)
    return SetFacts("birds", (DETECTION, SEGMENTATION), BIRD_CLASSES, ("bird",), size=size, named=True)


@states(facts=_facts)
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
        pictures.append(_complete(by_key[key], key, path, least_height=least_height))
    labels = (DETECTION, SEGMENTATION)
    found = BoxSet(pictures, labels=labels, objects=("bird",), classes=BIRD_CLASSES, where=str(listed))
    seen = found if area == "whole" else Windowed(found, right_halves(found.sizes))
    return seen if tile is None or part == "test" else tiled(seen, tile, overlap=overlap)


def _complete(picture: Picture, key: str, path: Path, *, least_height: float) -> Picture:
    mask = path / "masks" / f"{key}.png"
    boxes = picture.objects.boxes
    low = boxes[:, 3] - boxes[:, 1] < least_height
    objects = replace(picture.objects, ignore=np.logical_or(picture.objects.ignore, low))
    fields = {SEGMENTATION: Field(mask, ReadLabels(counted_from_one(len(BIRD_CLASSES))))}
    return replace(picture, key=key, scene=key, objects=objects, fields=fields)


def tiled(dataset: BoxSet | Windowed, tile: tuple[int, int], *, overlap: int, kept: float = 0.5) -> Windowed:
    """`dataset` in overlapping tiles (H, W); `merge_windows` brings detections in ``tiled(...).windows`` back together.

    overlap: pixels that neighbours share, at least; as long as the largest bird, so that each is whole in some tile.
    kept: see `Windowed`.
    """
    return Windowed(dataset, tile_windows(dataset.sizes, tile, overlap=overlap), kept=kept)
