"""Surface normals from depth: a plane is fitted around every pixel; those of a file are computed once and cached."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import NamedTuple, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from taskweave.data.readers.arrays import cache_folder, cached_array
from taskweave.data.tensors import Depth, Normals


@final
@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera without distortion, in pixels: focal lengths and the pixel that the optical axis meets."""

    fx: float
    fy: float
    cx: float
    cy: float

    def scaled(self, factor: float) -> Intrinsics:
        """The camera of the same picture at `factor` times its size."""
        return Intrinsics(self.fx * factor, self.fy * factor, self.cx * factor, self.cy * factor)


NYUV2_CAMERA = Intrinsics(fx=518.857901, fy=519.469611, cx=325.582449, cy=253.736166)
"""The colour camera of NYUv2 at 640 x 480 (camera_params.m of its toolbox)."""


class _Planes(NamedTuple):
    """For every pixel the plane fitted in the window around it: 1 / Z = a x + b y + c.

    error: root mean square of the residual, relative to 1 / Z; infinite where the window does not determine a plane.
    """

    a: Tensor
    b: Tensor
    c: Tensor
    error: Tensor


def normals_from_depth(depth: Tensor, intrinsics: Intrinsics, *, radius: int = 7, noise: float = 0.004) -> Normals:
    """Compute surface normals from a depth map.

    In the picture a plane n·P = d is 1/Z = (n/d)·(x, y, 1) with x = (u - cx)/fx and y = (v - cy)/fy. This is linear, so n
    follows from least squares in a window. Nine windows reach each pixel: the one around it and those on its eight sides.
    The best fitting count most, so that windows across an edge do not round it off.

    Args:
        depth: (1, H, W) in metres, 0 = invalid.
        radius: Windows are 2 * radius + 1 pixels wide.
        noise: Relative depth error; windows that fit better than this count as equally good.

    Returns:
        (3, H, W): x right, y up, z to the camera. Zeros where a pixel has no depth or too little depth around it.

    Raises:
        ValueError: `depth` has another shape.
    """
    if depth.ndim != 3 or depth.shape[0] != 1:
        raise ValueError(f"depth is (1, H, W) in metres, got shape {tuple(depth.shape)}")
    z = depth[0].as_subclass(Tensor).double()
    valid = z > 0
    inverse = torch.where(valid, 1 / z.clamp(min=1e-6), 0.0)
    rows, columns = (torch.arange(size, dtype=torch.float64, device=z.device) for size in z.shape)
    x = ((columns - intrinsics.cx) / intrinsics.fx).expand_as(z)
    y = ((rows - intrinsics.cy) / intrinsics.fy)[:, None].expand_as(z)
    planes = _fit(x, y, inverse, valid, radius)
    a, b, c = _best(planes, x, y, inverse, radius, noise)
    normal = torch.stack([-a, b, c])  # (a, b, c) looks away from the camera, y down; ours looks at it, y up
    length = normal.norm(dim=0)
    known = valid & (length > 0)
    return Normals(torch.where(known, normal / length.clamp(min=1e-12), 0.0).float())


def _fit(x: Tensor, y: Tensor, w: Tensor, valid: Tensor, radius: int) -> _Planes:
    """Least squares of w = a x + b y + c over the valid pixels of each window, from the window's sums."""
    m = valid.double()
    count = _box(m, radius)
    safe = count.clamp(min=1)
    mx, my, mw = (_box(m * value, radius) / safe for value in (x, y, w))

    def covariance(p: Tensor, q: Tensor, mean_p: Tensor, mean_q: Tensor) -> Tensor:
        return _box(m * p * q, radius) / safe - mean_p * mean_q

    xx, yy, ww = covariance(x, x, mx, mx), covariance(y, y, my, my), covariance(w, w, mw, mw)
    xy, xw, yw = covariance(x, y, mx, my), covariance(x, w, mx, mw), covariance(y, w, my, mw)
    determinant = xx * yy - xy * xy
    spread = determinant / (xx * yy).clamp(min=1e-300)  # 0 where the valid pixels lie on a line
    determined = (count >= max(6, (2 * radius + 1) ** 2 // 8)) & (spread > 0.01)
    divisor = torch.where(determined, determinant, 1.0)
    a = (yy * xw - xy * yw) / divisor
    b = (xx * yw - xy * xw) / divisor
    residual = (ww - a * xw - b * yw).clamp(min=0).sqrt() / mw.clamp(min=1e-12)
    return _Planes(a, b, mw - a * mx - b * my, torch.where(determined, residual, torch.inf))


def _best(planes: _Planes, x: Tensor, y: Tensor, w: Tensor, radius: int, noise: float) -> tuple[Tensor, Tensor, Tensor]:
    """The planes of the nine windows, averaged with weights that fall with their error, the pixel's own included."""
    total = torch.zeros(3, *w.shape, dtype=w.dtype, device=w.device)
    step = radius - 1  # the pixel stays inside the window
    for down in (-step, 0, step):
        for right in (-step, 0, step):
            a, b, c, error = (
                _shift(field, down, right, fill) for field, fill in zip(planes, (0, 0, 0, torch.inf), strict=True)
            )
            own = (w - (a * x + b * y + c)).abs() / w.clamp(min=1e-12)
            weight = (error**2 + own**2 + noise**2) ** -2.0  # 0 where the error is infinite
            total += weight * torch.stack([a, b, c])
    return total[0], total[1], total[2]


def _shift(field: Tensor, down: int, right: int, fill: float) -> Tensor:
    """``out[i, j] = field[i + down, j + right]``, `fill` outside."""
    height, width = field.shape
    reach = max(abs(down), abs(right))
    padded = F.pad(field, (reach, reach, reach, reach), value=fill)
    return padded[reach + down : reach + down + height, reach + right : reach + right + width]


def _box(values: Tensor, radius: int) -> Tensor:
    """Sums over windows of 2 * radius + 1 pixels, 0 outside; from an integral image, so any radius costs the same."""
    size = 2 * radius + 1
    padded = F.pad(values, (radius + 1, radius, radius + 1, radius))
    integral = padded.cumsum(0).cumsum(1)
    return integral[size:, size:] - integral[:-size, size:] - integral[size:, :-size] + integral[:-size, :-size]


METHOD = 1
"""Count up when normals_from_depth gives other values: what was cached, or trained, with the old is then left alone."""

_STEPS = 2047.0


@final
@dataclass(frozen=True)
class DerivedNormals:
    """Read a depth file and return its normals, cached by the depth values and the camera.

    Args:
        folder: Where results are cached. Default: ``normals`` in `cache_folder()`, looked up at each reading.
    """

    depth: Callable[[Path], Depth]
    camera: Intrinsics = NYUV2_CAMERA
    folder: Path | None = None

    def __call__(self, path: Path) -> Normals:
        depth = self.depth(path)
        name = f"{METHOD}-{_digest(depth, self.camera)}.npz"
        stored = cached_array((self.folder or cache_folder() / "normals") / name, lambda: self._build(depth))
        values = torch.from_numpy(stored.astype(np.float32) / np.float32(_STEPS))
        length = values.norm(dim=0, keepdim=True)
        return Normals(torch.where(length > 0.5, values / length.clamp(min=0.5), 0.0))

    def _build(self, depth: Depth) -> npt.NDArray[np.int16]:
        """In steps that are within 0.03 degrees and take a third of what float32 does."""
        normals = normals_from_depth(depth, self.camera).as_subclass(torch.Tensor)
        return np.asarray((normals * _STEPS).round().numpy(), dtype=np.int16)


def _digest(depth: Depth, camera: Intrinsics) -> str:
    described = f"{tuple(depth.shape)} {astuple(camera)}".encode()
    return hashlib.blake2b(described + depth.as_subclass(torch.Tensor).numpy().tobytes(), digest_size=12).hexdigest()
