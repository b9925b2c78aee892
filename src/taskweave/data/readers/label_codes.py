"""How the numbers in a label file name classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt
import torch
from torchvision import tv_tensors


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
    """Stored value -> class id from 0, or 255 where the pixel has no class.

    meaning: what is stored, in words, for messages.
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
