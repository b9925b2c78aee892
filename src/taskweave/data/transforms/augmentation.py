"""Joint transforms of an image and its targets, on torchvision's transforms.v2.

Mirroring and colour jitter are torchvision's own (`v2.RandomHorizontalFlip`, `v2.ColorJitter`): the kernels of `Depth` and
`Normals` make them right. What follows has no counterpart there, since a change of scale is a change of depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from taskweave.data.tensors import Depth, Disparity, Normals
from taskweave.data.transforms.joint import JointTransform
from taskweave.data.transforms.resizing import resize
from taskweave.images import ImageStatistics

_IMAGES_AND_TARGETS = (tv_tensors.Image, tv_tensors.Mask, tv_tensors.BoundingBoxes, Depth, Disparity, Normals)


@final
class Resize(JointTransform):
    """Everything at one fixed size (H, W), whatever the aspect; depth keeps its metres (see `resizing.resize`)."""

    _transformed_types = _IMAGES_AND_TARGETS

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = _pair(size)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return resize(inpt, self.size)


@final
class RandomScale(JointTransform):
    """Enlarge by s, uniform in [low, high]: the sides and disparity are multiplied by s, depth is divided by it.

    The camera stays the same, so what appears larger is nearer. (NDDR's authors: 0.5 to 1.5.)
    """

    _transformed_types = _IMAGES_AND_TARGETS

    def __init__(self, low: float = 0.5, high: float = 1.5) -> None:
        super().__init__()
        if not 0 < low <= high:
            raise ValueError(f"scales go from low to high, both above 0, got low={low}, high={high}")
        self.low, self.high = low, high

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = _size_of(flat_inputs)
        scale = self.low + (self.high - self.low) * float(torch.rand((), dtype=torch.float64))
        return {"scale": scale, "size": (max(1, round(height * scale)), max(1, round(width * scale)))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return _nearer(resize(inpt, params["size"]), params["scale"])


@final
class RandomDiscreteScale(JointTransform):
    """Enlarge by one of `scales` and keep the size: a random part 1/s as large is enlarged to it; depth is divided by s.

    (NYUD_MT's and MTAN's protocol, with 1, 1.2 and 1.5. Deviation: theirs interpolate normals without renormalising.)
    """

    _transformed_types = _IMAGES_AND_TARGETS

    def __init__(self, scales: Sequence[float] = (1.0, 1.2, 1.5)) -> None:
        super().__init__()
        if not scales or min(scales) < 1:
            raise ValueError(f"scales are 1 or more, since a part is enlarged to the whole, got {tuple(scales)}")
        self.scales = tuple(scales)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = _size_of(flat_inputs)
        scale = self.scales[int(torch.randint(len(self.scales), ()))]
        part = (max(1, round(height / scale)), max(1, round(width / scale)))
        corner = (int(torch.randint(height - part[0] + 1, ())), int(torch.randint(width - part[1] + 1, ())))
        return {"scale": scale, "part": part, "corner": corner, "size": (height, width)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        part = F.crop(inpt, *params["corner"], *params["part"])
        return _nearer(resize(part, params["size"]), params["scale"])


@final
class RandomCropPad(JointTransform):
    """A random part of `size`; a picture that is too small is padded at the right and at the bottom.

    The padding is the network's mean colour (so 0 once normalised; the image becomes float in [0, 1] to hold it exactly),
    `ignore` in masks, no depth and no normal. (NDDR's authors: 321 x 321.)

    size: of the result, (H, W) or one number for both.
    """

    _transformed_types = _IMAGES_AND_TARGETS

    def __init__(self, size: int | tuple[int, int], *, statistics: ImageStatistics, ignore: int = 255) -> None:
        super().__init__()
        self.size = _pair(size)
        self.ignore = ignore
        self.colour = statistics.restore(torch.zeros(3, 1, 1)).flatten().tolist()

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = _size_of(flat_inputs)
        part = (min(height, self.size[0]), min(width, self.size[1]))
        corner = (int(torch.randint(height - part[0] + 1, ())), int(torch.randint(width - part[1] + 1, ())))
        return {"part": part, "corner": corner, "padding": [0, 0, self.size[1] - part[1], self.size[0] - part[0]]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        part = F.crop(inpt, *params["corner"], *params["part"])
        if isinstance(part, tv_tensors.Image):
            return F.pad(F.to_dtype(part, torch.float32, scale=True), params["padding"], fill=self.colour)
        return F.pad(part, params["padding"], fill=self.ignore)


@final
class ToInput(JointTransform):
    """The last transform: the image as a network expects it, a plain float32 tensor (3, H, W).

    Targets stay as they are, except that boxes which torchvision's own transforms left outside are clipped or dropped.
    """

    _transformed_types = (tv_tensors.Image,)

    def __init__(self, statistics: ImageStatistics) -> None:
        super().__init__()
        self.statistics = statistics

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self.statistics.normalise(inpt.as_subclass(torch.Tensor))

    def of_batch(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) raw -> float32 network input, the same bits as of each by itself."""
        found = torch.empty(images.shape, dtype=torch.float32)
        for row, image in zip(found, images, strict=True):  # one by one, whose numbers stay in the processor's cache
            row.copy_(self.statistics.normalise(image))
        return found


def _nearer(value: Any, scale: float) -> Any:
    if isinstance(value, Depth):
        return tv_tensors.wrap(value / scale, like=value)
    return tv_tensors.wrap(value * scale, like=value) if isinstance(value, Disparity) else value


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1:
        raise ValueError(f"a size is (height, width) in pixels, both at least 1, got {size}")
    return height, width


def _size_of(flat_inputs: list[Any]) -> tuple[int, int]:
    for value in flat_inputs:
        if isinstance(value, _IMAGES_AND_TARGETS):
            height, width = F.get_size(value)
            return height, width
    raise TypeError(f"a joint transform needs a tv_tensors.Image, got {[type(value).__name__ for value in flat_inputs]}")
