"""The pets as four HDF5 files, the form in which the Pet cross-stitch paper reads them (section on data, "chunk-wise")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, final

import numpy as np
import numpy.typing as npt
import torch
from annotated_types import Ge
from torchvision import tv_tensors

from taskweave.data.boxes import bounding_boxes
from taskweave.data.dataset import NamedSet, require_labels
from taskweave.data.facts import Folder, SetFacts, Size
from taskweave.data.readers.arrays import h5_array
from taskweave.data.readers.faults import DRAWN_OUTSIDE, Faults
from taskweave.data.readers.files import LabelCode, exact_bytes, require_folder
from taskweave.data.readers.whole_images.pets import BOX, SEGMENTATION, SPECIES, SPECIES_NAMES
from taskweave.data.sample import Sample
from taskweave.parts import states

H5_LABELS = (SPECIES, BOX, SEGMENTATION)
Array = npt.NDArray[Any]
_FILES = {"image": "images", SEGMENTATION: "masks", BOX: "bboxes", SPECIES: "binary"}
_MASK = LabelCode({0: 0, 1: 1}, "0 (background) or 1 (pet)")


_FACTS = SetFacts("Oxford-IIIT Pet", H5_LABELS, ("background", "pet"), categories={SPECIES: SPECIES_NAMES})


def _facts(options: Mapping[str, Any]) -> SetFacts:
    return _FACTS._replace(size=options["image_size"], own_validation=True)


@states(facts=_facts)
def pets_h5(
    part: str, *, path: Folder, block: Annotated[int, Ge(1)] | None = None, image_size: Size = (256, 256)
) -> PetsH5:
    """The pets as ``{images,masks,bboxes,binary}.h5`` in ``path/{train,val,test}/`` (needs taskweave[data]).

    Arrays ``images`` (N, H, W, 3) of 0..255 in any type, ``masks`` (N, H, W) or (N, H, W, 1) of 0 background, 1 pet,
    ``bboxes`` (N, 4) x1, y1, x2, y2 in pixels (256 x 256 in the paper), ``binary`` (N,) or (N, 1) of 0 cat, 1 dog; the only
    array of a file may have another name. Files of labels that are not asked for are not opened; boxes and species are read
    at once, images and masks when they are asked for. Boxes that reach outside are clipped and counted in a warning. Keys
    are row numbers.

    Args:
        part: "train", "validation" (val/) or "test", or the name of another folder; "all" for files in `path` itself.
        path: The folder.
        block: So many neighbouring images and masks are read at once and remembered until another block is asked for. 1
            reads each by itself; None takes the chunks that images.h5 is stored in. Trainings then draw whole blocks
            (`BlockOrder`): an order drawn over all images would read a block for each image.
        image_size: (height, width) of the images, for the cost of a picture.

    Raises:
        ValueError: A file is truncated or of another length, or has values that cannot be right; it is named.
    """
    folder = Path(path) if part == "all" else Path(path) / {"validation": "val"}.get(part, part)
    require_folder(folder, "images.h5, masks.h5, bboxes.h5 and binary.h5")
    if block is not None and block < 1:
        raise ValueError(
            f"block is how many images are read at once, at least 1, or None for the file's chunks; got {block}"
        )
    images = h5_array(folder / "images.h5", "images")
    _require_shapes({"image": images}, folder)
    return PetsH5(folder, H5_LABELS, count=len(images), block=block or (images.chunks[0] if images.chunks else 1))


def _small_of(folder: Path, labels: Sequence[str]) -> dict[str, Array]:
    """Boxes and species where they are asked for; every array of these labels has the form that it must have."""
    arrays = {name: h5_array(folder / f"{_FILES[name]}.h5", _FILES[name]) for name in ("image", *labels)}
    size, small = _require_shapes(arrays, folder), {}
    if BOX in arrays:
        small[BOX] = _boxes(arrays[BOX], size, folder / "bboxes.h5")
    if SPECIES in arrays:
        small[SPECIES] = _species(arrays[SPECIES], folder / "binary.h5")
    return small


@final
class PetsH5(NamedSet):
    """The data set that `pets_h5` returns.

    Args:
        block: Number of neighbouring samples read at once.
    """

    def __init__(self, folder: Path, labels: Sequence[str], *, count: int, block: int) -> None:
        super().__init__(labels, _FACTS)
        self.folder = folder
        self.block = block
        self._count = count
        self._small: dict[str, Array] | None = None
        self._held: tuple[int, dict[str, Array]] | None = None

    def only(self, labels: Sequence[str]) -> PetsH5:
        found = PetsH5(
            self.folder, require_labels(labels, self._labels, str(self.folder)), count=self._count, block=self.block
        )
        found._small = _small_of(found.folder, found._labels)
        return found

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} is outside 0..{len(self) - 1} of {self.folder}")
        if self._small is None:
            self._small = _small_of(self.folder, self._labels)
        number, row = divmod(index, self.block)
        if self._held is None or self._held[0] != number:
            self._held = (number, self._read(number))
        held = {name: rows[row] for name, rows in self._held[1].items()}
        image = _image(held["image"], f"{self.folder / 'images.h5'}, row {index}")
        sample: dict[str, Any] = {"image": image, "key": self.key(index)}
        for label in self._labels:
            if label == SEGMENTATION:
                mask = held[label].reshape(held[label].shape[:2])
                sample[label] = _MASK.decode(mask, f"{self.folder / 'masks.h5'}, row {index}")
            elif label == BOX:
                sample[label] = bounding_boxes([self._small[label][index].tolist()], image.shape[-2:])
            else:
                sample[label] = torch.tensor(int(self._small[label][index]))
        return sample

    def _read(self, number: int) -> dict[str, Array]:
        """A block of images and, where they are asked for, masks."""
        rows = slice(number * self.block, (number + 1) * self.block)
        read = {}
        for name in ("image", *(label for label in self._labels if label == SEGMENTATION)):
            file = self.folder / f"{_FILES[name]}.h5"
            try:
                read[name] = np.asarray(h5_array(file, _FILES[name])[rows])
            except OSError as error:
                raise ValueError(
                    f"{file}: rows from {rows.start} cannot be read ({error}): write the file again"
                ) from error
        return read

    def __getstate__(self) -> dict[str, Any]:
        """Without the remembered block, which another process would not ask for first."""
        return {**self.__dict__, "_held": None}

    @property
    def blocks(self) -> tuple[Sequence[int], ...]:
        starts = range(0, len(self) if self.block > 1 else 0, self.block)
        return tuple(range(start, min(start + self.block, len(self))) for start in starts)

    def key(self, index: int) -> str:
        return f"{index:05d}"

    def scene(self, index: int) -> str:
        return self.key(index)


def _require_shapes(arrays: Mapping[str, Any], folder: Path) -> tuple[int, int]:
    """(H, W) of the images."""
    shape = arrays["image"].shape
    if len(shape) != 4 or shape[3] != 3 or not shape[0]:
        raise ValueError(f"{folder / 'images.h5'} has shape {shape}: expected (N, H, W, 3), at least one image")
    count, size = shape[0], (int(shape[1]), int(shape[2]))
    expected: dict[str, list[tuple[int, ...]]] = {
        SEGMENTATION: [(count, *size), (count, *size, 1)],
        BOX: [(count, 4)],
        SPECIES: [(count,), (count, 1)],
    }
    for name, array in arrays.items():
        file = folder / f"{_FILES[name]}.h5"
        if array.shape[:1] != (count,):
            raise ValueError(
                f"{file} has {array.shape[0] if array.shape else 0} rows, images.h5 beside it {count}: the files do not "
                "belong together; write them again from one list"
            )
        if name in expected and array.shape not in expected[name]:
            raise ValueError(f"{file} has shape {array.shape}: expected {expected[name][0]} with these images")
    return size


def _boxes(array: Any, size: tuple[int, int], file: Path) -> Array:
    faults = Faults(DRAWN_OUTSIDE)
    rows = []
    for number, row in enumerate(np.asarray(array[()], dtype=np.float64).tolist()):
        box = faults.checked(row, size, f"{file}, row {number}")
        if box is None:
            raise ValueError(f"{file}, row {number}: box {row} lies outside the image: expected x1, y1, x2, y2 in pixels")
        rows.append(box)
    faults.warn()
    return np.array(rows, dtype=np.float32)


def _species(array: Any, file: Path) -> Array:
    values = np.asarray(array[()]).reshape(-1)
    wrong = np.flatnonzero((values != 0) & (values != 1))
    if wrong.size:
        raise ValueError(f"{file}, row {wrong[0]} is {values[wrong[0]]}: expected 0 (cat) or 1 (dog)")
    return values.astype(np.int64)


def _image(row: Array, where: str) -> tv_tensors.Image:
    whole = exact_bytes(row)
    if whole is None:
        raise ValueError(
            f"{where} has values {row.min()}..{row.max()} of type {row.dtype}: expected whole numbers 0..255; "
            "multiply by 255 if these are shares"
        )
    return tv_tensors.Image(torch.from_numpy(whole).permute(2, 0, 1).clone(memory_format=torch.contiguous_format))
