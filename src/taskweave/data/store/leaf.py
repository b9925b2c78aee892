"""A value of a stored sample: what its bytes are, from closed lists."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, Final, final

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor
from torchvision import tv_tensors

from taskweave.data.store.manifest import Facts
from taskweave.data.tensors import Depth, Disparity, Normals

_OF_TORCHVISION = (tv_tensors.Image, tv_tensors.Mask, tv_tensors.Video, tv_tensors.BoundingBoxes)
KINDS: Final[dict[str, type[Tensor]]] = {
    kind.__name__: kind for kind in (Tensor, *_OF_TORCHVISION, Depth, Disparity, Normals)
}
_WHOLE = "uint8 int8 uint16 int16 uint32 int32 uint64 int64"
DTYPES: Final[dict[str, torch.dtype]] = {
    name: getattr(torch, name) for name in f"{_WHOLE} bool float16 bfloat16 float32 float64 complex64 complex128".split()
}
_FORMATS: Final = [form.value for form in tv_tensors.BoundingBoxFormat]


@final
class Leaf(Facts):
    """A value of a sample, its type from a closed list.

    at: its names from the sample down.  kind: a tensor's type, "value", or "mapping" for an empty one.
    stored: the type of the bytes, which may be smaller than `dtype` where all numbers fit.
    """

    at: tuple[str, ...] = Field(min_length=1)
    kind: str
    value: Any = None
    dtype: str = ""
    stored: str = ""
    shape: tuple[int, ...] = Field((), max_length=32)
    format: str = ""
    canvas: tuple[int, int] = (0, 0)
    clamping: str | None = None

    @model_validator(mode="after")
    def _is_known(self) -> Leaf:
        closed = [(self.kind, ["value", "mapping", *KINDS])]
        if self.kind in KINDS:
            closed += [(self.dtype, list(DTYPES)), (self.stored, [name for name in DTYPES if name != "bfloat16"])]
        if self.kind == "BoundingBoxes":
            closed += [(self.format, _FORMATS), (self.clamping or "soft", ["soft", "hard"])]
        for said, known in closed:
            if said not in known:
                raise ValueError(f"{said!r} is none of {', '.join(known)}")
        if self.kind in KINDS and not np.can_cast(self.stored, self.held, "safe"):
            raise ValueError(f"{self.dtype} cannot be kept as {self.stored}")
        if any(length < 0 for length in self.shape) or math.prod(max(length, 1) for length in self.shape) >> 48:
            raise ValueError(f"no tensor has the shape {self.shape}")
        return self

    @cached_property
    def name(self) -> str:
        """With dots between levels: the name of its column."""
        return ".".join(self.at)

    @cached_property
    def held(self) -> str:
        """NumPy's type for its bits."""
        return "int16" if self.dtype == "bfloat16" else self.dtype

    @cached_property
    def numbers(self) -> np.dtype[Any]:
        return np.dtype(self.stored).newbyteorder("<")

    @cached_property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.numbers.itemsize

    @cached_property
    def form(self) -> tuple[Any, ...]:
        """What is equal for two that can be stacked; () for one that cannot."""
        dense = len(self.at) == 1 and self.dtype and self.kind != "BoundingBoxes"
        return (self.dtype, self.shape) if dense else ()
