"""Reads images, labels, depth and normals from files, and refuses what cannot be right."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torchvision import tv_tensors

from taskweave.data.tensors import Depth, Normals


def exact_bytes(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8] | None:
    """`values` as uint8; None where one is no whole number in 0..255."""
    if values.dtype == np.uint8:
        return values
    with np.errstate(invalid="ignore"):  # NaN and what is outside become some number, not equal to it
        narrow = values.astype(np.uint8)
    return narrow if np.array_equal(narrow, values) else None


IGNORE = 255
_UNKNOWN = -1


@final
@dataclass(frozen=True)
class LabelCode:
    """Map stored values to class ids from 0, or 255 for pixels without a class.

    Args:
        meaning: The stored values in words, for messages.
    """

    ids: Mapping[int, int]
    meaning: str

    def decode(self, stored: npt.NDArray[np.generic], where: str) -> tv_tensors.Mask:
        """(H, W) of any integer-valued type -> Mask int64 (H, W). ValueError names the file, the value and the place."""
        if stored.ndim != 2:
            raise ValueError(f"{where} has shape {stored.shape}: expected labels (H, W), one number a pixel")
        decoded = self._ids_of(stored)
        if (decoded == _UNKNOWN).any():
            row, column = np.argwhere(decoded == _UNKNOWN)[0]
            raise ValueError(
                f"{where} has label {stored[row, column]:g} at row {row}, column {column}: expected {self.meaning}; "
                f"check that the file belongs to this class set, or open the data set with its number of classes"
            )
        return tv_tensors.Mask(torch.from_numpy(decoded))

    def _ids_of(self, stored: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Ids by a table over the known values; -1 for what is unknown or no whole number."""
        narrow = exact_bytes(stored)
        if narrow is not None:  # mostly: one look-up a pixel
            table = np.full(256, _UNKNOWN, dtype=np.int64)
            within = {value: number for value, number in self.ids.items() if 0 <= value < 256}
            table[list(within)] = list(within.values())
            return np.asarray(table[narrow])
        low, high = min(self.ids), max(self.ids)
        table = np.full(high - low + 2, _UNKNOWN, dtype=np.int64)  # the last entry stands for everything outside
        table[[value - low for value in self.ids]] = list(self.ids.values())
        known = (stored >= low) & (stored <= high) & (np.trunc(stored) == stored)
        places = np.where(known, stored, high + 1).astype(np.int64) - low
        return np.asarray(table[places])


def counted_from_zero(classes: int, *, ignore: int) -> LabelCode:
    """0..classes - 1, and `ignore` (-1 in the MTAN tree, 255 in NDDR's files) for no class."""
    return LabelCode({ignore: IGNORE, **{k: k for k in range(classes)}}, f"{ignore} (no class) or 0..{classes - 1}")


def counted_from_one(classes: int) -> LabelCode:
    """1..classes, and 0 for no class."""
    return LabelCode({0: IGNORE, **{k + 1: k for k in range(classes)}}, f"0 (no class) or 1..{classes}")


def regrouped(code: LabelCode, groups: Sequence[int]) -> LabelCode:
    """`code` with each class id replaced by ``groups[id]``."""
    return LabelCode({k: IGNORE if i == IGNORE else groups[i] for k, i in code.ids.items()}, code.meaning)


Array = npt.NDArray[np.generic]


def read_picture(path: Path) -> tv_tensors.Image:
    """An image file of any mode -> uint8 (3, H, W) RGB."""
    pixels = _pixels(path, "RGB")
    return tv_tensors.Image(torch.from_numpy(pixels).permute(2, 0, 1).contiguous())


def _pixels(path: Path, mode: str | None) -> Array:
    """A picture's numbers, converted to `mode` or as they are stored."""
    try:
        with Image.open(path) as file:
            return np.array(file.convert(mode) if mode else file)
    except FileNotFoundError:
        raise
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # Pillow's words do not say which file
        raise ValueError(f"{path} is not a readable picture ({error}): write it again") from error


def read_values(path: Path, *ranks: int) -> Array:
    """An .npy or picture file's numbers as they are; ValueError unless real and the number of axes is one of `ranks`."""
    if path.suffix == ".npy":
        try:
            values = np.load(path, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{path} is not a readable .npy file ({error}): write it again") from error
    else:
        values = _pixels(path, None)
    if values.ndim not in ranks:
        wanted = " or ".join(str(rank) for rank in ranks)
        raise ValueError(
            f"{path} has rank {values.ndim}, shape {values.shape}: expected rank {wanted}; store one sample a file"
        )
    if not real(values):
        raise ValueError(f"{path} holds {values.dtype}: expected real numbers; write it as float32 or an integer type")
    return np.asarray(values)


def read_json(path: Path, *, missing: str, holds: str) -> dict[str, Any]:
    """Return the object in a JSON file.

    Args:
        missing: What to do if the file does not exist, for messages.
        holds: What the file should hold, for messages.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not JSON or holds no object.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: {missing}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not readable json ({error}): write it again") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__}: expected {holds}")
    return content


def real(values: Array) -> bool:
    """Whether these are real numbers: not complex ones, texts, times or records."""
    return values.dtype.kind in "biuf"


def read_picture_npy(path: Path) -> tv_tensors.Image:
    """(H, W, 3) float in [0, 1] -> uint8 (3, H, W)."""
    values = read_values(path, 3).astype(np.float32)
    _require_finite(values, str(path), "colours in 0..1")
    if values.shape[2] != 3 or values.min() < -1e-3 or values.max() > 1 + 1e-3:
        raise ValueError(
            f"{path} has shape {values.shape} and values {values.min():g}..{values.max():g}: expected (H, W, 3) in 0..1; "
            f"divide by 255 if these are bytes"
        )
    pixels = torch.from_numpy(np.clip(np.rint(values * 255), 0, 255).astype(np.uint8))
    return tv_tensors.Image(pixels.permute(2, 0, 1).contiguous())


@final
@dataclass(frozen=True)
class ReadLabels:
    """A label file (picture or .npy, (H, W)) -> Mask int64, by its code."""

    code: LabelCode

    def __call__(self, path: Path) -> tv_tensors.Mask:
        return self.code.decode(read_values(path, 2), str(path))


@final
@dataclass(frozen=True)
class ReadDepth:
    """Read a depth file of shape (H, W) or (H, W, 1); see `decode_depth`.

    Args:
        unit: Metres per stored step: 0.001 for millimetres.
        shallowest: Depth in metres up to which a pixel counts as unknown, like 0.
        reach: See `decode_depth`.
    """

    unit: float = 1.0
    shallowest: float = 0.0
    reach: tuple[float, float] | None = None

    def __call__(self, path: Path) -> Depth:
        depth = decode_depth(read_values(path, 2, 3), str(path), unit=self.unit, reach=self.reach)
        return Depth(depth * (depth > self.shallowest)) if self.shallowest > 0 else depth


def decode_depth(stored: Array, where: str, *, unit: float = 1.0, reach: tuple[float, float] | None = None) -> Depth:
    """Convert stored numbers, (H, W) or (H, W, 1), to depth in metres.

    Args:
        unit: Metres per stored step.
        reach: Least and greatest depth in metres allowed for the picture's farthest pixel. A picture outside this range
            is no depth map or is in another unit.

    Raises:
        ValueError: The shape differs, a value is NaN, infinite or negative, or the farthest pixel is outside `reach`.
    """
    if stored.ndim not in (2, 3) or (stored.ndim == 3 and stored.shape[2] != 1):
        raise ValueError(f"{where} has shape {stored.shape}: expected depth (H, W) or (H, W, 1)")
    metres = stored.reshape(stored.shape[:2]).astype(np.float32) * np.float32(unit)
    _require_finite(metres, where, "depth in metres, 0 where it is unknown")
    if (metres < 0).any():
        raise ValueError(
            f"{where} has depth {metres.min():g}: expected metres, 0 where it is unknown; set such pixels to 0"
        )
    farthest = float(metres.max(initial=0))
    if reach is not None and farthest > 0 and not reach[0] <= farthest <= reach[1]:
        raise ValueError(
            f"{where}: its farthest pixel is at {farthest:g} m, expected {reach[0]:g}..{reach[1]:g} m here; if the file "
            "holds disparities (larger is nearer) or another unit, convert it, or open it with the reader of its layout "
            "(`taskweave inspect-data` names it)"
        )
    return Depth(torch.from_numpy(metres)[None])


def read_normals(path: Path) -> Normals:
    """(H, W, 3) numbers: an .npy in [-1, 1], zeros = unknown; or a uint8 picture of (n + 1) * 127.5.

    In pictures 255, 255, 255 and whatever is shorter than 0.5 (127, 127, 127 is a zero vector) is unknown: both occur in
    NDDR's files, whose authors count the second as valid. What is left is made exactly 1 long.
    """
    stored = read_values(path, 3)
    if stored.shape[2] != 3:
        raise ValueError(f"{path} has shape {stored.shape}: expected normals (H, W, 3)")
    picture = stored.dtype == np.uint8
    values = stored.astype(np.float32) / 127.5 - 1 if picture else stored.astype(np.float32)
    _require_finite(values, str(path), "normals in -1..1, zeros where they are unknown")
    if np.abs(values).max() > 1.01:
        raise ValueError(
            f"{path} has values {values.min():g}..{values.max():g}: expected normals in -1..1; "
            f"(n + 1) * 127.5 is read from uint8 files only"
        )
    known = np.linalg.norm(values, axis=2) >= 0.5
    if picture:
        known &= (stored != 255).any(axis=2)
    length = np.linalg.norm(values, axis=2, keepdims=True)
    unit = np.where(known[..., None], values / np.maximum(length, 0.5), np.float32(0))
    return Normals(torch.from_numpy(unit.astype(np.float32)).permute(2, 0, 1).contiguous())


def _require_finite(values: Array, where: str, expected: str) -> None:
    wrong = ~np.isfinite(values)
    if wrong.any():
        first = np.argwhere(wrong)[0]
        raise ValueError(
            f"{where} has {int(wrong.sum())} values that are not finite (the first, {values[tuple(first)]}, at row "
            f"{first[0]}, column {first[1]}): expected {expected}; replace them, e.g. with numpy.nan_to_num"
        )


def require_folder(path: Path, holds: str) -> None:
    """Raise FileNotFoundError unless `path` is a folder; `holds` says what is expected in it."""
    if not path.is_dir():
        found = "is a file" if path.exists() else "does not exist"
        raise FileNotFoundError(f"{path} {found}: expected a folder with {holds}; give the path of that folder")


def beside(path: Path) -> list[str]:
    """The names of the files in the folder of `path` that end as it does."""
    return sorted(other.name for other in path.parent.glob(f"*{path.suffix}"))


def read_names(path: Path) -> list[str]:
    """The non-empty lines of a list file; FileNotFoundError names the lists that are there."""
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} does not exist: {path.parent} has {there}; give one of these as the split"
            if (there := beside(path))
            else f"{path} does not exist, nor any other list beside it; give the folder that the data set was unpacked to"
        )
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
