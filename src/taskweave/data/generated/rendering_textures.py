"""What a surface looks like: two colours laid out by a pattern in three dimensions, dull or glossy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, assert_never, final

import numpy as np
from numpy.typing import NDArray

from taskweave.data.generated.rendering_solids import Array, Components, Point

Pattern = Literal["plain", "checker", "stripes", "gradient", "noise"]
Finish = Literal["dull", "glossy"]
PATTERNS: tuple[Pattern, ...] = ("plain", "checker", "stripes", "gradient", "noise")
FINISHES: tuple[Finish, ...] = ("dull", "glossy")


@final
@dataclass(frozen=True)
class Look:
    """A texture and a finish.

    first, second: albedo, linear RGB in [0, 1].
    scale: metres of one period.  offset: where the pattern starts, in metres.  direction: along which stripes change.
    """

    pattern: Pattern
    finish: Finish
    first: Point
    second: Point
    scale: float
    offset: Point
    direction: Point

    def laid_out(self, point: Components) -> Components:
        """Where points of the body's own frame lie in the pattern, in periods; stripes and gradients run along x."""
        x, y, z = ((p + o) / self.scale for p, o in zip(point, self.offset, strict=True))
        if self.pattern in ("stripes", "gradient"):
            u, v, w = self.direction
            along: Array = x * u + y * v + z * w
            return along, y, z
        return x, y, z


def second_share(pattern: Pattern, x: Array, y: Array, z: Array) -> Array:
    """How much of the second colour a pattern has at points laid out in it, in [0, 1]."""
    match pattern:
        case "plain":
            return np.zeros_like(x)
        case "checker":
            return _odd(np.floor(x) + np.floor(y) + np.floor(z))
        case "stripes":
            return _odd(np.floor(2.0 * x))
        case "gradient":
            return _smooth(np.abs(x * 0.25 % 2.0 - 1.0))
        case "noise":
            coarse, fine = value_noise(x, y, z), value_noise(3.0 * x, 3.0 * y, 3.0 * z)
            return coarse + np.float32(0.35) * (fine - coarse)
    assert_never(pattern)


def _odd(whole: Array) -> Array:
    return (whole.astype(np.int32) & 1).astype(np.float32)


def value_noise(x: Array, y: Array, z: Array) -> Array:
    """Smooth noise in [0, 1): random values at the corners of the integer lattice, blended in between."""
    cells = [np.floor(value) for value in (x, y, z)]
    sx, sy, sz = (_smooth(value - cell) for value, cell in zip((x, y, z), cells, strict=True))
    ix, iy, iz = (cell.astype(np.int32).view(np.uint32) for cell in cells)
    layers = []
    for dz in (0, 1):
        rows = []
        for dy in (0, 1):
            base = (iy + np.uint32(dy)) * np.uint32(668265263) + (iz + np.uint32(dz)) * np.uint32(2147483647)
            left, right = (scrambled(base + (ix + np.uint32(dx)) * np.uint32(374761393)) for dx in (0, 1))
            rows.append(left + (right - left) * sx)
        layers.append(rows[0] + (rows[1] - rows[0]) * sy)
    return layers[0] + (layers[1] - layers[0]) * sz


def _smooth(t: Array) -> Array:
    return t * t * (3.0 - 2.0 * t)


def scrambled(whole: NDArray[np.uint32]) -> Array:
    """Integers to values in [0, 1) that look random (24 bits)."""
    whole = (whole ^ (whole >> np.uint32(13))) * np.uint32(1274126177)
    whole = (whole ^ (whole >> np.uint32(16))) * np.uint32(2246822519)
    whole = whole ^ (whole >> np.uint32(15))
    return (whole >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)
