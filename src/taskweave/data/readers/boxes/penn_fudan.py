"""Penn-Fudan: pedestrians on streets, with a box and a mask each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from torchvision import tv_tensors

from taskweave.data.facts import DETECTION, Folder, SetFacts, TestShare
from taskweave.data.readers.boxes.boxes_set import PERSON, BoxSet, Found, Picture
from taskweave.data.readers.faults import Accept, Faults
from taskweave.data.readers.files import LabelCode, read_picture, read_values, require_folder
from taskweave.data.readers.fileset import Field
from taskweave.data.splits import drawn
from taskweave.parts import states

SEGMENTATION = "segmentation"
_PERSON_NUMBERS = LabelCode({0: 0, **dict.fromkeys(range(1, 256), 1)}, "0 (background) or the number of a person, 1..255")
_SIZE = re.compile(r"Image size \(X x Y x C\) : (\d+) x (\d+) x \d+")
_COUNT = re.compile(r"Objects with ground truth : (\d+)")
_BOX = re.compile(
    r'Bounding box for object (\d+) "(\w+)" \(Xmin, Ymin\) - \(Xmax, Ymax\) : \((-?\d+), (-?\d+)\) - \((-?\d+), (-?\d+)\)'
)
_KINDS = ("PASpersonWalking", "PASpersonStanding")


_FACTS = SetFacts("Penn-Fudan", (DETECTION, SEGMENTATION), ("background", PERSON), (PERSON,))


@states(facts=_FACTS)
def penn_fudan(part: str, *, path: Folder, split_seed: int = 0, test_share: TestShare = 0.3, accept: Accept = ()) -> BoxSet:
    """Penn-Fudan pedestrians: ``path/{PNGImages/*.png, PedMasks/*_mask.png, Annotation/*.txt}`` (PASCAL format 1.00).

    Boxes are those of the text files (pixels from 1, the last one included); a few differ from the extent of their mask by
    some pixels. ``segmentation`` is background 0 or person 1, whoever it is. Not every visible person is labelled.

    The release has no split. Ours is drawn by `split_seed`: images in the order of a hash of (seed, name), the first
    round(test_share * n) are the test set; so a split named in a result needs its seed and share.

    Args:
        part: "train", "test" or "all".
        path: The folder.
        split_seed: Draws the split.
        test_share: Share of the images in the test.
        accept: Faults to count and warn of.
    """
    path = Path(path)
    require_folder(path / "Annotation", "the annotations of Penn-Fudan, *.txt")
    if not 0 < test_share < 1:
        raise ValueError(f"test_share is the test set's part of the images, between 0 and 1, got {test_share}")
    keys = sorted(file.stem for file in (path / "Annotation").glob("*.txt"))
    faults = Faults(accept)
    pictures = [_picture(path, key, faults) for key in _chosen(keys, part, seed=split_seed, share=test_share)]
    faults.warn()
    where = f"{path / 'Annotation'} ({part})"
    return BoxSet(pictures, labels=_FACTS.labels, objects=_FACTS.objects, classes=_FACTS.classes, where=where)


def _chosen(keys: Sequence[str], part: str, *, seed: int, share: float) -> list[str]:
    """Whether an image is in the test set hardly depends on which others are there, unlike with a permutation."""
    if part == "all":
        return list(keys)
    if part not in ("train", "test"):
        raise ValueError(f"Penn-Fudan has no split {part!r}: expected 'train', 'test' or 'all'")
    test = set(drawn(keys, seed=seed)[: round(share * len(keys))])
    return [key for key in keys if (key in test) == (part == "test")]


def _picture(path: Path, key: str, faults: Faults) -> Picture:
    image, mask = path / "PNGImages" / f"{key}.png", path / "PedMasks" / f"{key}_mask.png"
    listed = path / "Annotation" / f"{key}.txt"
    for file in (image, mask):
        if not file.is_file():
            raise FileNotFoundError(f"{file} does not exist: {listed} belongs to it; restore the file or remove the text")
    size, boxes = _read(listed)
    found = Found()
    for line, kind, box in boxes:
        where = f"{listed}, line {line}"
        if kind not in _KINDS:
            faults.unknown(kind, _KINDS, where)
            continue
        checked = faults.checked(box, size, where)
        if checked is not None:
            found.add(checked, 1)
    fields = {SEGMENTATION: Field(mask, read_person_mask)}
    return Picture(key, key, Field(image, read_picture), size, found.packed(), str(listed), fields)


def _read(path: Path) -> tuple[tuple[int, int], list[tuple[int, str, tuple[float, float, float, float]]]]:
    """(H, W), and (line, class, x1 y1 x2 y2) of each box."""
    text = path.read_text(encoding="latin-1")
    size, count = _SIZE.search(text), _COUNT.search(text)
    if size is None:
        raise ValueError(f"{path} has no line 'Image size (X x Y x C) : width x height x channels': add it")
    boxes = []
    for number, line in enumerate(text.splitlines(), start=1):
        found = _BOX.match(line)
        if found is not None:
            x1, y1, x2, y2 = (float(value) for value in found.groups()[2:])
            boxes.append((number, str(found[2]), (x1 - 1, y1 - 1, x2, y2)))
    if count is None or int(count[1]) != len(boxes):
        announced = "no number of" if count is None else count[1]
        raise ValueError(f"{path} announces {announced} objects and has {len(boxes)} readable boxes: restore the file")
    return (int(size[2]), int(size[1])), boxes


def read_person_mask(path: Path) -> tv_tensors.Mask:
    """Numbers of persons -> Mask int64 (H, W): 0 background, 1 person."""
    return _PERSON_NUMBERS.decode(read_values(path, 2), str(path))
