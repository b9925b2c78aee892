"""Solids that rays can hit: blocks, balls and upright cylinders, intersected analytically."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Point = tuple[float, float, float]
Components = tuple[Array, Array, Array]

# Everything below uses only + - * / sqrt, comparisons and floor, one array operation at a time: each is rounded exactly
# as IEEE 754 says, so pictures are the same to the bit on every machine. No sum over axes, no matrix product, no sine.


@final
@dataclass(frozen=True)
class Rays:
    """Half-lines from one point: origin + t * (x, y, z), t > 0. The directions need not be unit vectors."""

    origin: Point
    x: Array
    y: Array
    z: Array

    def take(self, rows: NDArray[np.intp]) -> Rays:
        return Rays(self.origin, self.x[rows], self.y[rows], self.z[rows])

    def at(self, t: Array) -> Components:
        ox, oy, oz = self.origin
        return self.x * t + ox, self.y * t + oy, self.z * t + oz

    @cached_property
    def square(self) -> Array:
        """The directions' squared lengths."""
        square: Array = self.x * self.x + self.y * self.y + self.z * self.z
        return square

    @cached_property
    def length(self) -> Array:
        length: Array = np.sqrt(self.square)
        return length

    def near(self, center: Point, radius: float) -> NDArray[np.intp]:
        """Rows of the rays that come within `radius` of a point (a little more, never less): what is worth intersecting."""
        lx, ly, lz = (c - o for c, o in zip(center, self.origin, strict=True))
        excess = lx * lx + ly * ly + lz * lz - 1.02 * radius * radius
        if excess <= 0.0:
            return np.arange(len(self.x))
        along = self.x * lx + self.y * ly + self.z * lz
        return np.nonzero(along > self.length * math.sqrt(excess))[0]


class Solid(ABC):
    """A convex body. Distances are in metres, y is up."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[Point, float]:
        """Centre and radius of a sphere around it."""

    @abstractmethod
    def hit(self, rays: Rays) -> Array:
        """Where each ray enters: t > 0, infinity where it misses. The origin is outside."""

    @abstractmethod
    def normal(self, point: Components) -> Components:
        """The outward unit normal at points of the surface."""

    @abstractmethod
    def local(self, point: Components) -> Components:
        """Points in the body's own frame, in metres: what its texture is laid out in."""


@final
@dataclass(frozen=True)
class Block(Solid):
    """A cuboid of half sizes `half`, turned about the vertical by the angle of (cosine, sine) `turn`."""

    center: Point
    half: Point
    turn: tuple[float, float]

    @property
    def bounds(self) -> tuple[Point, float]:
        x, y, z = self.half
        return self.center, math.sqrt(x * x + y * y + z * z)

    def _turned(self, x: Array, z: Array) -> tuple[Array, Array]:
        c, s = self.turn
        return x * c + z * s, z * c - x * s

    def hit(self, rays: Rays) -> Array:
        c, s = self.turn
        ox, oy, oz = (o - m for o, m in zip(rays.origin, self.center, strict=True))
        dx, dz = self._turned(rays.x, rays.z)
        enter: Array | None = None
        leave: Array | None = None
        for o, d, h in zip((ox * c + oz * s, oy, oz * c - ox * s), (dx, rays.y, dz), self.half, strict=True):
            inverse = np.float32(1.0) / d
            low, high = inverse * (-h - o), inverse * (h - o)
            first, second = np.minimum(low, high), np.maximum(low, high)
            enter = first if enter is None else np.maximum(enter, first)
            leave = second if leave is None else np.minimum(leave, second)
        assert enter is not None and leave is not None
        return np.where((enter < leave) & (enter > 0.0), enter, np.float32(np.inf))

    def local(self, point: Components) -> Components:
        x, y, z = (p - m for p, m in zip(point, self.center, strict=True))
        x, z = self._turned(x, z)
        return x, y, z

    def normal(self, point: Components) -> Components:
        faces = [value / h for value, h in zip(self.local(point), self.half, strict=True)]
        x, y, z = (np.abs(value) for value in faces)
        on_x, on_y = (x >= y) & (x >= z), (y > x) & (y >= z)
        nx, ny, nz = (np.sign(f) * on for f, on in zip(faces, (on_x, on_y, ~(on_x | on_y)), strict=True))
        c, s = self.turn
        return nx * c - nz * s, ny, nz * c + nx * s


@final
@dataclass(frozen=True)
class Ball(Solid):
    """A sphere."""

    center: Point
    radius: float

    @property
    def bounds(self) -> tuple[Point, float]:
        return self.center, self.radius

    def hit(self, rays: Rays) -> Array:
        # Through the point of closest approach: in float32 the textbook discriminant loses a small radius in the distance.
        lx, ly, lz = (c - o for c, o in zip(self.center, rays.origin, strict=True))
        closest = (rays.x * lx + rays.y * ly + rays.z * lz) / rays.square
        qx, qy, qz = rays.x * closest - lx, rays.y * closest - ly, rays.z * closest - lz
        inside = self.radius * self.radius - (qx * qx + qy * qy + qz * qz)
        t = closest - np.sqrt(np.maximum(inside, 0.0) / rays.square)
        return np.where((inside > 0.0) & (t > 0.0), t, np.float32(np.inf))

    def local(self, point: Components) -> Components:
        x, y, z = (p - m for p, m in zip(point, self.center, strict=True))
        return x, y, z

    def normal(self, point: Components) -> Components:
        x, y, z = self.local(point)
        length = np.sqrt(x * x + y * y + z * z)
        return x / length, y / length, z / length


@final
@dataclass(frozen=True)
class Cylinder(Solid):
    """An upright cylinder with flat ends."""

    center: Point
    radius: float
    half_height: float

    @property
    def bounds(self) -> tuple[Point, float]:
        return self.center, math.sqrt(self.radius * self.radius + self.half_height * self.half_height)

    def hit(self, rays: Rays) -> Array:
        lx, ly, lz = (c - o for c, o in zip(self.center, rays.origin, strict=True))
        square = rays.x * rays.x + rays.z * rays.z
        closest = (rays.x * lx + rays.z * lz) / square
        qx, qz = rays.x * closest - lx, rays.z * closest - lz
        inside = self.radius * self.radius - (qx * qx + qz * qz)
        half = np.sqrt(np.maximum(inside, 0.0) / square)
        inverse = np.float32(1.0) / rays.y
        low, high = inverse * (ly - self.half_height), inverse * (ly + self.half_height)
        enter = np.maximum(closest - half, np.minimum(low, high))
        leave = np.minimum(closest + half, np.maximum(low, high))
        return np.where((inside > 0.0) & (enter < leave) & (enter > 0.0), enter, np.float32(np.inf))

    def local(self, point: Components) -> Components:
        x, y, z = (p - m for p, m in zip(point, self.center, strict=True))
        return x, y, z

    def normal(self, point: Components) -> Components:
        x, y, z = self.local(point)
        length = np.sqrt(x * x + z * z)
        # On an end the point is at full height; on the side at full radius. Compare how far it is from either.
        end = self.half_height - np.abs(y) < np.abs(self.radius - length)
        safe = np.maximum(length, np.float32(1e-6))
        return np.where(end, 0.0, x / safe), np.where(end, np.sign(y), 0.0), np.where(end, 0.0, z / safe)
