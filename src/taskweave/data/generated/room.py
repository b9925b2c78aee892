"""What is rendered: a room, the things in it, the panels on its walls and floor, a camera and a light."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from taskweave.data.generated.looks import Look
from taskweave.data.generated.solids import Array, Components, Point, Rays, Solid

FACES = ("floor", "ceiling", "left", "right", "front", "back")
"""The faces of a room, in the order of their surface numbers. The camera looks from the back to the front."""

_AXIS = (1, 1, 0, 0, 2, 2)
_INWARD: tuple[Point, ...] = (
    (0.0, 1.0, 0.0), (0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, -1.0),
)  # fmt: skip


@final
@dataclass(frozen=True)
class Body:
    """A thing in the room: solids that belong together and share one look.

    Args:
        label: Its class.
        number: Its instance, from 1.
    """

    label: int
    number: int
    solids: tuple[Solid, ...]
    look: Look

    @cached_property
    def bounds(self) -> tuple[Point, float]:
        """Centre and radius of a sphere around all its solids."""
        (x, y, z), _ = self.solids[0].bounds
        reach = [(math.dist((x, y, z), center) + radius) for center, radius in (solid.bounds for solid in self.solids)]
        return (x, y, z), max(reach)


@final
@dataclass(frozen=True)
class Panel:
    """A flat thing on a face of the room: a picture, a door, a rug.

    Args:
        center: Position in metres along the face's two axes: the two of x, y, z that lie in the face, in that order.
        half: Half its extent in metres along the same axes.
        turn: (cosine, sine) of its rotation within the face.
        rim: Width in metres of a border in the second look.
    """

    label: int
    number: int
    face: int
    center: tuple[float, float]
    half: tuple[float, float]
    turn: tuple[float, float]
    rim: float
    look: Look
    rim_look: Look

    def inside(self, point: Components, margin: float) -> NDArray[np.bool_]:
        """Which points of the face it covers, `margin` metres inwards."""
        a, b = (p for axis, p in enumerate(point) if axis != _AXIS[self.face])
        a, b = a - self.center[0], b - self.center[1]
        c, s = self.turn
        return (np.abs(a * c + b * s) < self.half[0] - margin) & (np.abs(b * c - a * s) < self.half[1] - margin)


@final
@dataclass(frozen=True)
class Camera:
    """A pinhole camera at `position`; `right`, `up` and `forward` are unit vectors.

    Args:
        focal: Focal length in units of the image's longer side.
    """

    position: Point
    right: Point
    up: Point
    forward: Point
    focal: float

    def rays(self, column: Array, row: Array, size: tuple[int, int]) -> Rays:
        """Through image points (pixel centres are at .5), scaled so that t is the depth along `forward`."""
        focal = np.float32(self.focal * max(size))
        u: Array = (column - np.float32(0.5 * size[1])) / focal
        v: Array = (np.float32(0.5 * size[0]) - row) / focal
        right, up, forward = (np.array(axis, np.float32) for axis in (self.right, self.up, self.forward))
        x, y, z = (u * r + v * p + f for r, p, f in zip(right, up, forward, strict=True))
        return Rays(self.position, x, y, z)

    def seen(self, x: Array, y: Array, z: Array) -> Components:
        """World vectors in the camera's frame: x right, y up, z to the camera."""
        axes = (self.right, self.up, tuple(-f for f in self.forward))
        right, up, back = (x * a + y * b + z * c for a, b, c in axes)
        return right, up, back


@final
@dataclass(frozen=True)
class Light:
    """A point light with shadows, a weaker one without, and light from all sides. Strengths: of a white wall 2 m away."""

    position: Point
    colour: Point
    fill_position: Point
    fill: float
    ambient: float


@final
@dataclass(frozen=True)
class Room:
    """A box of air seen from inside: x in 0..size[0], y in 0..size[1], z in -size[2]..0."""

    size: Point
    looks: tuple[Look, ...]
    labels: tuple[int, ...]
    bodies: tuple[Body, ...]
    panels: tuple[Panel, ...]
    camera: Camera
    light: Light
    number: int

    def hit(self, rays: Rays) -> tuple[Array, NDArray[np.uint8]]:
        """t and face where rays from inside meet the room."""
        nearest: Array | None = None
        face = np.zeros(rays.x.shape, np.uint8)
        limits = ((2, 3, 0.0, self.size[0]), (0, 1, 0.0, self.size[1]), (4, 5, -self.size[2], 0.0))
        for origin, d, (low_face, high_face, low, high) in zip(rays.origin, (rays.x, rays.y, rays.z), limits, strict=True):
            positive = d > 0.0
            # abs: along a face the direction is a zero of either sign, and the face infinitely far, not infinitely behind
            t: Array = np.abs(np.divide(np.where(positive, np.float32(high - origin), np.float32(low - origin)), d))
            here = np.where(positive, np.uint8(high_face), np.uint8(low_face))
            if nearest is None:
                nearest, face = t, here
            else:
                face = np.where(t < nearest, here, face)
                nearest = np.minimum(t, nearest)
        assert nearest is not None
        return nearest, face

    @staticmethod
    def inward(face: int) -> Point:
        """The unit normal of a face, into the room. Front is at -z: FACES[4]."""
        return _INWARD[face]
