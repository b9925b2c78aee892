"""What the joint transforms of this room have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from torchvision.transforms import v2

from taskweave.data.boxes import tidy


class JointTransform(v2.Transform):  # type: ignore[misc]
    """A transform of an image and its targets, after which boxes are within the image (see `boxes.tidy`)."""

    def forward(self, *inputs: Any) -> Any:
        moved = super().forward(*inputs)
        return tidy(moved) if isinstance(moved, Mapping) else moved

    @abstractmethod
    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """`inpt`, a tv_tensor, moved."""
