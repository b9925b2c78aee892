"""Numbers that are whole and in 0..255, whatever type they are kept in."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def exact_bytes(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8] | None:
    """`values` as uint8; None where one is no whole number in 0..255."""
    if values.dtype == np.uint8:
        return values
    with np.errstate(invalid="ignore"):  # NaN and what is outside become some number, not equal to it
        narrow = values.astype(np.uint8)
    return narrow if np.array_equal(narrow, values) else None
