"""Wild birds around wind turbines (Kinki, Tomamae): small objects in large landscapes, in a folder of our own layout.

The sets were never published as files; this is the form in which a copy is read:

- ``images/<key>.jpg`` (or .png)
- ``boxes.csv``: columns filename,width,height,class,xmin,ymin,xmax,ymax, one row per bird, edges in pixels (see `box_csv`);
  the class is ``bird``. Images without rows show none.
- ``masks/<key>.png``: uint8, 0 = unlabelled, 1 bird, 2 forest, 3 sky, 4 wind turbine. Optional: Tomamae has none.
- ``lists/<split>.txt``: keys, one a line.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from taskweave.data.readers.boxes.box_csv import open_box_csv
from taskweave.data.readers.boxes.boxes_faults import Fault
from taskweave.data.readers.boxes.boxes_set import DETECTION, BoxSet, Picture
from taskweave.data.readers.files import ReadLabels
from taskweave.data.readers.fileset import Field, read_names, require_folder, require_labels
from taskweave.data.readers.label_codes import counted_from_one
from taskweave.data.transforms.tiling import Windowed, right_halves, tile_windows

BIRD_CLASSES = ("bird", "forest", "sky", "wind turbine")
SEGMENTATION = "segmentation"


def open_birds(
    path: Path,
    *,
    split: str,
    part: Literal["whole", "right half"],
    labels: Sequence[str] = (DETECTION, SEGMENTATION),
    least_height: float = 15.0,
    accept: Collection[Fault] = (),
) -> BoxSet | Windowed:
    """Birds of one split of the folder `path` (the layout: this module's docstring).

    part: ``right half`` for Kinki as in the cross-connected paper (2808 x 3744 of 5616 x 3744 pixels: what surrounds the
        turbine); ``whole`` for Tomamae (3840 x 2160).
    least_height: a lower bird is an ignored box; 15 pixels in the paper. 0 ignores none.
    Give the result to `tiled` for a network that cannot hold such images.
    """
    path = Path(path)
    labels = require_labels(labels, (DETECTION, SEGMENTATION), "the birds' folder")
    require_folder(path, "images/, boxes.csv, masks/ and lists/")
    if part not in ("whole", "right half"):
        raise ValueError(f"part is 'whole' or 'right half', got {part!r}")
    listed = path / "lists" / f"{split}.txt"
    every = open_box_csv(path / "images", path / "boxes.csv", classes=("bird",), accept=accept)
    by_key = {Path(picture.key).stem: picture for picture in every.pictures}
    pictures = []
    for number, key in enumerate(read_names(listed), start=1):
        if key not in by_key:
            raise FileNotFoundError(
                f"{path / 'images'} has no image {key!r}, which {listed}, name {number} lists: restore it"
            )
        pictures.append(_complete(by_key[key], key, path, labels=labels, least_height=least_height))
    birds = BoxSet(pictures, labels=labels, objects=("bird",), classes=BIRD_CLASSES, where=str(listed))
    return birds if part == "whole" else Windowed(birds, right_halves(birds.sizes))


def _complete(picture: Picture, key: str, path: Path, *, labels: Sequence[str], least_height: float) -> Picture:
    mask = path / "masks" / f"{key}.png"
    if SEGMENTATION in labels and not mask.is_file():
        raise FileNotFoundError(f"{mask} does not exist: restore it, or open the birds with labels=('detection',)")
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
