"""How the numbers in a label file name classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
import torch
from torchvision import tv_tensors

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
        whole = np.nan_to_num(stored.astype(np.float64), nan=-(2.0**31)) if stored.dtype.kind == "f" else stored
        values, positions = np.unique(whole, return_inverse=True)
        ids = np.array([self.ids.get(int(value), _UNKNOWN) if value == int(value) else _UNKNOWN for value in values])
        decoded = ids[positions].reshape(stored.shape)
        if (ids == _UNKNOWN).any():
            row, column = np.argwhere(decoded == _UNKNOWN)[0]
            raise ValueError(
                f"{where} has label {stored[row, column]} at row {row}, column {column}: expected {self.meaning}; "
                f"check that the file belongs to this class set, or open the data set with its number of classes"
            )
        return tv_tensors.Mask(torch.from_numpy(decoded.astype(np.int64)))


def counted_from_zero(classes: int, *, ignore: int) -> LabelCode:
    """0..classes - 1, and `ignore` (-1 in the MTAN tree, 255 in NDDR's files) for no class."""
    return LabelCode({ignore: IGNORE, **{k: k for k in range(classes)}}, f"{ignore} (no class) or 0..{classes - 1}")


def counted_from_one(classes: int) -> LabelCode:
    """1..classes, and 0 for no class."""
    return LabelCode({0: IGNORE, **{k + 1: k for k in range(classes)}}, f"0 (no class) or 1..{classes}")


def regrouped(code: LabelCode, groups: Sequence[int]) -> LabelCode:
    """`code` with each class id replaced by ``groups[id]``."""
    return LabelCode({k: IGNORE if i == IGNORE else groups[i] for k, i in code.ids.items()}, code.meaning)
