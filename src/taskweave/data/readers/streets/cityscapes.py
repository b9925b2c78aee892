"""Cityscapes: streets of 50 cities with labels for every pixel, and the disparity of a stereo camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from taskweave.data.facts import Folder, SetFacts
from taskweave.data.readers.files import ReadLabels, read_picture
from taskweave.data.readers.fileset import Field, FileSet, Item, require_folder, with_files
from taskweave.data.readers.streets.cityscapes_labels import (
    CITYSCAPES_CLASSES,
    FARTHEST,
    CityscapesCount,
    DepthForm,
    Farthest,
    ReadInverseDepth,
    ReadStereoDepth,
    depth_reader,
    far,
    label_code,
    read_codes,
)
from taskweave.data.tensors import Disparity
from taskweave.parts import states

SEGMENTATION, DISPARITY, DEPTH = "segmentation", "disparity", "depth"
_IMAGE = "_leftImg8bit.png"
_IN_PIXELS = ReadInverseDepth(read_codes, offset=1, divisor=256)


def _facts(options: Mapping[str, Any]) -> SetFacts:
    names = CITYSCAPES_CLASSES[options["classes"]]
    return SetFacts("Cityscapes", (SEGMENTATION, DEPTH), names, size=(1024, 2048), far=far(options))


@states(facts=_facts)
def cityscapes(
    part: str,
    *,
    path: Folder,
    classes: CityscapesCount = 19,
    coded: Literal["labelIds", "labelTrainIds"] = "labelIds",
    depth: DepthForm = "inverse",
    farthest: Farthest = FARTHEST,
) -> FileSet:
    """Cityscapes: ``path/{leftImg8bit,gtFine,disparity}/<part>/<city>/<city>_NNNNNN_NNNNNN_*.png`` (2,975 and 500 images).

    Files end in ``_leftImg8bit.png``, ``_gtFine_labelIds.png`` or ``_gtFine_labelTrainIds.png``, and ``_disparity.png``;
    for depth in metres also ``path/camera/<part>/<city>/<city>_NNNNNN_NNNNNN_camera.json``.
    Keys are ``<city>_NNNNNN_NNNNNN``; the scene is the city, as the benchmark splits by cities. Beside ``segmentation`` and
    ``depth`` there is ``disparity`` (`Disparity`, pixels of the 2,048 wide picture, see `read_disparity`).

    Args:
        part: "train" or "val", which is also the "test".
        path: The folder.
        classes: 19, their 7 categories, or 2: person and rider as one class (the cross-connected paper) against the rest.
            What the benchmark does not evaluate is 255 in all three.
        coded: Which of the label files to read; both give the same targets. ``labelTrainIds`` are not in the download: the
            benchmark's scripts make them.
        depth: The form of ``depth``: "inverse", p / 65535 of the stored p as in MTAN's files (a `Disparity`, as it grows
            where a picture is enlarged), or "metres", baseline * fx / disparity by each picture's camera file (a `Depth`).
        farthest: Metres beyond which there is no depth in "metres"; None for no limit.
    """
    path, split = Path(path), "val" if part == "test" else part
    read_labels = ReadLabels(label_code(coded, classes))
    items = []
    for image, key, city in pictures_of(path, split):
        folder = Path(split) / city
        disparity = path / "disparity" / folder / f"{key}_disparity.png"
        camera = path / "camera" / folder / f"{key}_camera.json"
        fields = {
            "image": Field(image, read_picture),
            SEGMENTATION: Field(path / "gtFine" / folder / f"{key}_gtFine_{coded}.png", read_labels),
            DISPARITY: Field(disparity, read_disparity),
            DEPTH: Field(disparity, depth_reader(depth, read_codes, camera, farthest=farthest)),
        }
        items.append(Item(key, city, fields, str(image)))
    where, names = str(path / "leftImg8bit" / split), CITYSCAPES_CLASSES[classes]
    return FileSet(items, labels=(SEGMENTATION, DISPARITY, DEPTH), classes=names, where=where, complete=_complete)


def _complete(items: Sequence[Item], labels: Sequence[str]) -> Sequence[Item]:
    for item in items if DEPTH in labels else ():
        read = item.fields[DEPTH].read
        if isinstance(read, ReadStereoDepth) and isinstance(read.camera, Path):
            _require_camera(read.camera, item.fields["image"].path)
    return with_files(items, labels)


def pictures_of(path: Path, split: str) -> list[tuple[Path, str, str]]:
    """Each picture of a split with its key and its city, in the order of their names."""
    if split not in ("train", "val"):
        raise ValueError(f"Cityscapes has no split {split!r} with labels: expected 'train' or 'val'")
    folder = path / "leftImg8bit" / split
    require_folder(folder, "<city>/*_leftImg8bit.png")
    return [(file, file.name.removesuffix(_IMAGE), file.parent.name) for file in sorted(folder.glob(f"*/*{_IMAGE}"))]


def _require_camera(camera: Path, image: Path) -> None:
    if not camera.is_file():
        raise FileNotFoundError(
            f"{camera} does not exist: metres need the camera of {image}; unpack the release's camera_trainvaltest.zip, or "
            "open the data set with depth='inverse'"
        )


def read_disparity(path: Path) -> Disparity:
    """uint16 numbers p, (H, W) -> disparity (p - 1) / 256 in pixels, 0 where p is 0: not measured.

    p = 1, a disparity of 0, is infinitely far: it is invalid too, as the two cannot be told apart in a target.
    """
    return _IN_PIXELS(path)
