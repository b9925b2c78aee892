"""Reading images, labels, depth and normals from files, and refusing what cannot be right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torchvision import tv_tensors

from taskweave.data.readers.label_codes import LabelCode
from taskweave.data.tensors import Depth, Normals

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
    """A depth file, (H, W) or (H, W, 1) -> Depth.

    unit: metres of one stored step: 0.001 for millimetres.
    shallowest: metres up to which a pixel is unknown, like 0.
    reach: metres between which the farthest pixel of a picture lies if the file is what it should be; see `decode_depth`.
    """

    unit: float = 1.0
    shallowest: float = 0.0
    reach: tuple[float, float] | None = None

    def __call__(self, path: Path) -> Depth:
        depth = decode_depth(read_values(path, 2, 3), str(path), unit=self.unit, reach=self.reach)
        return Depth(depth * (depth > self.shallowest)) if self.shallowest > 0 else depth


def decode_depth(stored: Array, where: str, *, unit: float = 1.0, reach: tuple[float, float] | None = None) -> Depth:
    """(H, W) or (H, W, 1) numbers -> Depth; ValueError for NaN, infinity or a negative value.

    reach: also refuse a picture whose farthest pixel is not between these metres: it is no depth, or in another unit. A
        picture without any depth is not refused.
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
