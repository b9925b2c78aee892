"""One way of changing the resolution of an image and of every kind of target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from taskweave.data.tensors import Depth, Disparity, Normals


def resize(value: Any, size: tuple[int, int]) -> Any:
    """`value` at `size` = (H, W): images bilinear with anti-aliasing, labels the nearest pixel's (centres aligned).

    Depth keeps its metres, disparity its pixels: this is another resolution of the same view, not a nearer one. No target
    is interpolated, so holes stay holes, normals stay unit vectors and no class or depth appears that was not there. Boxes
    follow; in a mapping each value is resized; what is no tv_tensor (a key, attributes) is given back as it is.
    """
    if isinstance(value, Mapping):
        return {name: resize(part, size) for name, part in value.items()}
    if not isinstance(value, tv_tensors.TVTensor):
        return value
    if isinstance(value, tv_tensors.Mask | Depth | Disparity | Normals):
        # torchvision's default for masks, "nearest", takes the first pixel of each block: labels would move by half a block
        plain = value.as_subclass(Tensor)[None]  # a mask may lack the channel axis that resize_image wants
        plain = F.resize_image(plain, list(size), interpolation=InterpolationMode.NEAREST_EXACT, antialias=False)
        return tv_tensors.wrap(plain[0], like=value)
    return F.resize(value, list(size), interpolation=InterpolationMode.BILINEAR, antialias=True)
