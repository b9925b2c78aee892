"""Joint transforms of an image and its targets, on torchvision's transforms.v2.

Mirroring and colour jitter are torchvision's own; the rest has no counterpart there, since a change of scale is a change of
depth. One that changes the size of images states ``size_after(options, size)``: what images of `size` have after it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, final

import torch
from annotated_types import Ge, Gt, Le, Len
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode, functional as F

from taskweave.data.boxes import tidy
from taskweave.data.tensors import Depth, Disparity, Normals
from taskweave.images import ImageStatistics

_IMAGES_AND_TARGETS = (tv_tensors.Image, tv_tensors.Mask, tv_tensors.BoundingBoxes, Depth, Disparity, Normals)
_Side = Annotated[int, Ge(1)]
_Size = tuple[_Side, _Side]


def mirror(*, p: Annotated[float, Ge(0.0), Le(1.0)] = 0.5) -> v2.Transform:
    """Mirror left and right; n_x changes sign.

    Args:
        p: How often.
    """
    return v2.RandomHorizontalFlip(p)


def colour(*, strength: Annotated[float, Ge(0.0), Le(1.0)]) -> v2.Transform:
    """Jitter brightness, contrast and saturation.

    Args:
        strength: The largest change of each, as a share.
    """
    return v2.ColorJitter(brightness=strength, contrast=strength, saturation=strength)


def resize(value: Any, size: tuple[int, int]) -> Any:
    """`value` at `size` = (H, W): images bilinear with anti-aliasing, labels the nearest pixel's (centres aligned).

    Depth keeps its metres, disparity its pixels: this is another resolution of the same view, not a nearer one. No target
    is interpolated. In a mapping each value is resized; what is no tv_tensor (a key, attributes) is given back as it is.
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


class JointTransform(v2.Transform):  # type: ignore[misc]
    """A transform of an image and its targets, after which boxes are within the image (see `boxes.tidy`)."""

    _transformed_types: tuple[type, ...] = _IMAGES_AND_TARGETS

    def forward(self, *inputs: Any) -> Any:
        moved = super().forward(*inputs)
        return tidy(moved) if isinstance(moved, Mapping) else moved

    @abstractmethod
    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """`inpt`, a tv_tensor, moved."""


class _Sized(JointTransform):
    """One after which every image is of `size` (height, width)."""

    def __init__(self, size: int | tuple[int, int]) -> None:
        super().__init__()
        self.size = _pair(size)

    @staticmethod
    def size_after(options: Mapping[str, Any], size: tuple[int, int]) -> tuple[int, int]:
        """That of the result."""
        return _pair(options["size"])


class _Padded(_Sized):
    """One that pads: images with the network's mean colour, masks with `ignore`, others with nothing."""

    def __init__(self, statistics: ImageStatistics, size: int | tuple[int, int], ignore: int) -> None:
        super().__init__(size)
        self.ignore = ignore
        self.colour = statistics.restore(torch.zeros(3, 1, 1)).flatten().tolist()

    def _pad(self, part: Any, padding: list[int]) -> Any:
        if isinstance(part, tv_tensors.Image):
            return F.pad(F.to_dtype(part, torch.float32, scale=True), padding, fill=self.colour)
        return F.pad(part, padding, fill=self.ignore)


@final
class Resize(_Sized):
    """Everything at one size, whatever the aspect; depth keeps its metres (see `resize`).

    Args:
        size: (height, width) of the result.
    """

    def __init__(self, *, size: _Size) -> None:
        super().__init__(size)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return resize(inpt, self.size)


@final
class RandomScale(JointTransform):
    """Enlarge by s, uniform in [least, most]: the sides and disparity are multiplied by s, depth is divided by it.

    The camera stays the same, so what appears larger is nearer. (NDDR's authors: 0.5 to 1.5.)

    Args:
        least: The smallest scale.
        most: The largest.
    """

    def __init__(self, *, least: Annotated[float, Gt(0.0)] = 0.5, most: Annotated[float, Gt(0.0)] = 1.5) -> None:
        super().__init__()
        self.check({"least": least, "most": most})
        self.least, self.most = least, most

    @staticmethod
    def check(options: Mapping[str, Any]) -> None:
        """Raise ValueError for scales that fall."""
        least, most = options["least"], options["most"]
        if not 0 < least <= most:
            raise ValueError(f"scales go from least to most, both above 0, got least={least:g}, most={most:g}")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = _size_of(flat_inputs)
        scale = self.least + (self.most - self.least) * float(torch.rand((), dtype=torch.float64))
        return {"scale": scale, "size": (max(1, round(height * scale)), max(1, round(width * scale)))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return _nearer(resize(inpt, params["size"]), params["scale"])


@final
class ZoomCrops(JointTransform):
    """Crop by one of these factors, then back to the image's size: a random part 1/s as large; depth is divided by s.

    (NYUD_MT's and MTAN's protocol, with 1, 1.2 and 1.5. Deviation: theirs interpolate normals without renormalising.)

    Args:
        factors: Those to draw from, each 1 or more.
    """

    def __init__(self, *, factors: Annotated[tuple[Annotated[float, Ge(1.0)], ...], Len(1)] = (1.0, 1.2, 1.5)) -> None:
        super().__init__()
        if not factors or min(factors) < 1:
            raise ValueError(f"factors are 1 or more, since a part is enlarged to the whole, got {tuple(factors)}")
        self.factors = tuple(factors)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = _size_of(flat_inputs)
        scale = self.factors[int(torch.randint(len(self.factors), ()))]
        part = (max(1, round(height / scale)), max(1, round(width / scale)))
        return {"scale": scale, "part": part, "corner": _corner((height, width), part), "size": (height, width)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        part = F.crop(inpt, *params["corner"], *params["part"])
        return _nearer(resize(part, params["size"]), params["scale"])


@final
class RandomCrop(_Padded):
    """A random part of `size`; a picture that is too small is padded at the right and at the bottom.

    The padding is the network's mean colour (so 0 once normalised; the image becomes float in [0, 1] to hold it exactly),
    `ignore` in masks, no depth and no normal. (NDDR's authors: 321 x 321.)

    Args:
        statistics: Of the network's input.
        size: (height, width) of the result, or one number for both.
        ignore: What masks are padded with.
    """

    def __init__(self, statistics: ImageStatistics, *, size: _Side | _Size, ignore: int = 255) -> None:
        super().__init__(statistics, size, ignore)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = _size_of(flat_inputs)
        part = (min(height, self.size[0]), min(width, self.size[1]))
        padding = [0, 0, self.size[1] - part[1], self.size[0] - part[0]]
        return {"part": part, "corner": _corner((height, width), part), "padding": padding}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._pad(F.crop(inpt, *params["corner"], *params["part"]), params["padding"])


@final
class Fit(_Padded):
    """As large as fits into `size` (H, W) at the same aspect, at the top left; the rest is padding.

    The padding is the network's mean colour (0 once normalised), `ignore` in masks, no depth and no normal; depth keeps its
    metres, as in `Resize`. For detectors, whose objects would be distorted by `Resize`.

    Args:
        statistics: Of the network's input.
        size: (height, width) of the result.
        ignore: What masks are padded with.
    """

    def __init__(self, statistics: ImageStatistics, *, size: _Size, ignore: int = 255) -> None:
        super().__init__(statistics, size, ignore)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        height, width = F.get_size(inpt)
        scale = min(self.size[0] / height, self.size[1] / width)
        inner = (min(self.size[0], max(1, round(height * scale))), min(self.size[1], max(1, round(width * scale))))
        return self._pad(resize(inpt, inner), [0, 0, self.size[1] - inner[1], self.size[0] - inner[0]])


@final
class ToInput(JointTransform):
    """The last transform: the image as a network expects it, a plain float32 tensor (3, H, W).

    Boxes that torchvision's own transforms left outside are clipped or dropped.
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


def _corner(size: tuple[int, int], part: tuple[int, int]) -> tuple[int, int]:
    """A random top left corner of a part of an image."""
    return int(torch.randint(size[0] - part[0] + 1, ())), int(torch.randint(size[1] - part[1] + 1, ()))


def _size_of(flat_inputs: list[Any]) -> tuple[int, int]:
    for value in flat_inputs:
        if isinstance(value, _IMAGES_AND_TARGETS):
            height, width = F.get_size(value)
            return height, width
    raise TypeError(f"a joint transform needs a tv_tensors.Image, got {[type(value).__name__ for value in flat_inputs]}")
