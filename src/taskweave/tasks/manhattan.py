"""Alignment of predicted normals with the three orthogonal directions of a room."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_STARTS = 32
_STEPS = 15
_POINTS = 2048
_WIDTH = math.radians(12.0)


def align_to_manhattan(normals: Tensor, *, within: float = 22.5) -> Tensor:
    """Unit normals (B, 3, H, W); those within `within` degrees of a direction of their scene's frame become it.

    The frame is found in the scene's own predictions (`manhattan_frame`), image by image. Deviation: Misra et al. (2016)
    take it, after Fouhey et al. (2013), from vanishing points of the image.
    """
    with torch.autocast(normals.device.type, enabled=False):
        frame = manhattan_frame(normals)
        along = torch.einsum("bchw,bca->bahw", normals.float(), frame)
        closest, axis = along.abs().max(1, keepdim=True)
        sign = along.gather(1, axis).sign()
        snapped = sign * frame[torch.arange(len(frame), device=axis.device)[:, None, None], :, axis[:, 0]].movedim(-1, 1)
    return torch.where(closest >= math.cos(math.radians(within)), snapped.to(normals), normals)


def manhattan_frame(normals: Tensor) -> Tensor:
    """(B, 3, 3) float32, columns orthonormal: the frame that most normals of (B, 3, H, W) lie along, up to order and sign.

    Mean shift on rotations, in the manner of Straub et al. (2015): every normal is given to the nearest of the six
    directions with weight exp(-(angle / 12 degrees)^2 / 2), and the frame moves to the rotation nearest to the weighted
    sums (orthogonal Procrustes). From 32 fixed starts; the frame with the greatest sum of weights wins. At most 2048
    pixels are read, on an even grid. Zero vectors have no say.
    """
    points = _spread(normals.flatten(2).movedim(1, -1).float())
    frames = _starts(normals.device).expand(len(points), -1, -1, -1)
    for _ in range(_STEPS):
        pull, _ = _assign(points, frames)
        left, _, right = torch.linalg.svd(torch.einsum("bnc,bsna->bsca", points, pull))
        frames = left @ right
    _, score = _assign(points, frames)
    return frames[torch.arange(len(frames), device=frames.device), score.argmax(1)]


def _assign(points: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
    """The signed weight of every point on every axis (B, S, N, 3), and the sum of weights of every frame (B, S)."""
    along = torch.einsum("bnc,bsca->bsna", points, frames)
    closest, axis = along.abs().max(-1, keepdim=True)
    angle = torch.acos(closest.clamp(max=1.0))
    weight = torch.exp(-0.5 * (angle / _WIDTH).square()) * (closest > 0)
    pull = torch.zeros_like(along).scatter_(-1, axis, weight * along.gather(-1, axis).sign())
    return pull, weight.sum((-1, -2))


def _spread(points: Tensor) -> Tensor:
    """At most `_POINTS` of the points (B, N, 3), evenly."""
    count = points.shape[1]
    index = torch.arange(min(count, _POINTS), device=points.device) * count // min(count, _POINTS)
    return points[:, index]


def _starts(device: torch.device) -> Tensor:
    """(S, 3, 3) fixed rotations all over the group: the identity, and orthogonal factors of seeded Gaussian matrices."""
    seeded = torch.randn(_STARTS - 1, 3, 3, generator=torch.Generator().manual_seed(0))
    return torch.cat([torch.eye(3)[None], torch.linalg.qr(seeded).Q]).to(device)
