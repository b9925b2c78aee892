"""Depth, disparity and surface normals as tv_tensors, so that transforms of torchvision's v2 move them with the image."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NoReturn, Self, final

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F


class _Map(tv_tensors.TVTensor):  # type: ignore[misc]
    """A target for every pixel, float32; ValueError for another number of channels."""

    channels: ClassVar[int]

    def __new__(cls, data: Any) -> Self:
        tensor = cls._to_tensor(data, dtype=torch.float32)
        if tensor.ndim < 3 or tensor.shape[-3] != cls.channels:
            raise ValueError(
                f"{cls.__name__} has shape (..., {cls.channels}, H, W), got {tuple(tensor.shape)}: move the channels to "
                "the front"
            )
        return tensor.as_subclass(cls)  # type: ignore[no-any-return]


@final
class Depth(_Map):
    """Distances along the optical axis: (1, H, W) float32 in metres, 0 = invalid.

    Never interpolated: between two surfaces there is no surface. A picture enlarged by s shows its scene nearer: depth / s.
    """

    channels = 1


@final
class Disparity(_Map):
    """How far a point shifts between the two pictures of a stereo camera: (1, H, W) float32, 0 = invalid.

    In pixels of the picture that it was measured in: a baseline * focal length of that picture, over depth in metres; or
    that times a constant, which is inverse depth (MTAN's Cityscapes). A picture enlarged by s shows its scene nearer:
    disparity * s; at another resolution of the same view it stays. Never interpolated.
    """

    channels = 1


@final
class Normals(_Map):
    """Surface normals: (3, H, W) float32 unit vectors, zeros = invalid. Frame: x right, y up, z towards the camera.

    A horizontal flip negates x, a vertical flip y, a rotation of the picture turns (x, y). Never interpolated.
    """

    channels = 3


def _register(functional: Callable[..., Any], kind: type, kernel: Callable[..., Tensor]) -> None:
    """Let `functional` call `kernel` for values of type `kind`, on plain tensors."""

    def on_tv_tensor(value: Tensor, *args: Any, **options: Any) -> Any:
        return tv_tensors.wrap(kernel(value.as_subclass(Tensor), *args, **options), like=value)

    F.register_kernel(functional, kind)(on_tv_tensor)


def _resize(value: Tensor, size: list[int] | None, *rest: Any, **options: Any) -> Tensor:
    """Whatever torchvision does with a Mask, so that all targets stay aligned: the nearest pixel."""
    return F.resize(value.as_subclass(tv_tensors.Mask), size, *rest, **options)  # type: ignore[no-any-return]


def _pad(value: Tensor, padding: list[int], *_: Any, **__: Any) -> Tensor:
    """What is padded has no label, whatever fill and padding mode are used for the image."""
    return F.pad_mask(value, padding, fill=0)  # type: ignore[no-any-return]


def _rotate(
    value: Tensor, angle: float, *_: Any, expand: bool = False, center: list[float] | None = None, **__: Any
) -> Tensor:
    return F.rotate_mask(value, angle, expand=expand, center=center, fill=0)  # type: ignore[no-any-return]


def _affine(
    value: Tensor, angle: float, translate: list[float], scale: float, shear: list[float], *_: Any,
    center: list[float] | None = None, **__: Any,
) -> Tensor:  # fmt: skip
    return F.affine_mask(value, angle, translate, scale, shear, center=center, fill=0)  # type: ignore[no-any-return]


def _affine_depth(value: Tensor, angle: float, translate: list[float], scale: float, *rest: Any, **options: Any) -> Tensor:
    return _affine(value, angle, translate, scale, *rest, **options) / scale


def _affine_disparity(
    value: Tensor, angle: float, translate: list[float], scale: float, *rest: Any, **options: Any
) -> Tensor:
    return _affine(value, angle, translate, scale, *rest, **options) * scale


def turn(normals: Tensor, degrees: float) -> Tensor:
    """Rotate the vectors of (..., 3, H, W) about the optical axis, counter-clockwise as seen in the picture."""
    x, y, z = normals.unbind(-3)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.stack([cos * x - sin * y, sin * x + cos * y, z], dim=-3)


def _negate(normals: Tensor, component: int) -> Tensor:
    signs = torch.ones(3, 1, 1, dtype=normals.dtype, device=normals.device)
    signs[component] = -1
    return normals * signs


def _rotate_normals(value: Tensor, angle: float, *rest: Any, **options: Any) -> Tensor:
    return turn(_rotate(value, angle, *rest, **options), angle)


def _affine_normals(
    value: Tensor, angle: float, translate: list[float], scale: float, shear: list[float], *rest: Any, **options: Any
) -> Tensor:
    if any(shear):
        raise ValueError(f"surface normals cannot follow a shear of {shear} degrees: set shear to 0")
    # torchvision's affine turns clockwise, its rotate counter-clockwise
    return turn(_affine(value, angle, translate, scale, shear, *rest, **options), -angle)


def _refusal(name: str, advice: str) -> Callable[..., NoReturn]:
    def refuse(value: Tensor, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(f"{name} has no meaning for {type(value).__name__.lower()} targets: {advice}")

    return refuse


def _size(value: Tensor) -> list[int]:
    return [int(size) for size in value.shape[-2:]]


_FLIPS = ((F.horizontal_flip, F.horizontal_flip_mask), (F.vertical_flip, F.vertical_flip_mask))
_KERNELS: dict[type, Sequence[tuple[Callable[..., Any], Callable[..., Tensor]]]] = {
    Depth: (*_FLIPS, (F.rotate, _rotate), (F.affine, _affine_depth)),
    Disparity: (*_FLIPS, (F.rotate, _rotate), (F.affine, _affine_disparity)),
    Normals: (
        (F.horizontal_flip, lambda value: _negate(value.flip(-1), 0)),
        (F.vertical_flip, lambda value: _negate(value.flip(-2), 1)),
        (F.rotate, _rotate_normals),
        (F.affine, _affine_normals),
    ),
}
_COMMON = ((F.resize, _resize), (F.crop, F.crop_mask), (F.center_crop, F.center_crop_mask), (F.pad, _pad))
# torchvision passes a type without a kernel through unchanged, which would leave image and target apart: so these refuse
_REFUSED = (
    (F.resized_crop, "use RandomScale with RandomCrop, or ZoomCrops, which know what a scale does to depth"),
    (F.perspective, "leave the perspective transform out, or drop the target"),
    (F.elastic, "leave the elastic transform out, or drop the target"),
)

for _kind, _kernels in _KERNELS.items():
    for _functional, _kernel in (*_kernels, *_COMMON):
        _register(_functional, _kind, _kernel)
    for _functional, _advice in _REFUSED:
        F.register_kernel(_functional, _kind)(_refusal(_functional.__name__, _advice))
    F.register_kernel(F.get_size, _kind)(_size)
