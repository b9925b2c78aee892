"""What surfaces look like: textures and finishes, and how they are drawn at random, alike on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar, assert_never, final

import numpy as np
from numpy.typing import NDArray

from taskweave.data.generated.solids import Array, Components, Point

Pattern = Literal["plain", "checker", "stripes", "gradient", "noise"]
Finish = Literal["dull", "glossy"]
PATTERNS: tuple[Pattern, ...] = ("plain", "checker", "stripes", "gradient", "noise")
FINISHES: tuple[Finish, ...] = ("dull", "glossy")


@final
@dataclass(frozen=True)
class Look:
    """A texture and a finish.

    Args:
        first: Albedo, linear RGB in [0, 1].
        second: Albedo of the second colour, likewise.
        scale: Length of one period in metres.
        offset: Where the pattern starts, in metres.
        direction: The direction along which stripes and gradients change.
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


Item = TypeVar("Item")


@final
class Draws:
    """A stream of random choices for one scene.

    NumPy promises stable raw words of a bit generator, not stable distributions, and libm's sine differs by an ulp between
    machines: so numbers are made from raw words, and angles drawn as (cosine, sine) by the rational form of the circle.
    """

    def __init__(self, seed: int, index: int) -> None:
        self._source = np.random.PCG64(np.random.SeedSequence([seed, index]))

    def unit(self) -> float:
        """Uniform in [0, 1), 53 bits."""
        return (int(self._source.random_raw()) >> 11) * 2.0**-53

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.unit()

    def chance(self, share: float) -> bool:
        return self.unit() < share

    def below(self, count: int) -> int:
        """An integer in 0 ... count - 1."""
        return min(int(self.unit() * count), count - 1)

    def choice(self, items: Sequence[Item]) -> Item:
        return items[self.below(len(items))]

    def turn(self, half_angle_tangent: float) -> tuple[float, float]:
        """(cosine, sine) of an angle within +-2 atan(`half_angle_tangent`); 1.0 means +-90 degrees."""
        t = self.between(-half_angle_tangent, half_angle_tangent)
        return (1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t)


CLASSES = ("floor", "ceiling", "wall", "door", "picture", "rug", "table", "box", "ball", "cylinder")
"""Segmentation classes. What tells them apart is shape and place, not colour or texture."""

FLOOR, CEILING, WALL, DOOR, PICTURE, RUG, TABLE, BOX, BALL, CYLINDER = range(len(CLASSES))

OBJECT_CLASSES = CLASSES[DOOR:]
"""What counts as an object: has an instance, a box and attributes. Label k of a box is OBJECT_CLASSES[k - 1]."""

COLOURS: dict[str, Point] = {
    "white": (0.86, 0.84, 0.80), "grey": (0.52, 0.53, 0.55), "brown": (0.56, 0.40, 0.27), "red": (0.72, 0.28, 0.25),
    "orange": (0.86, 0.56, 0.28), "yellow": (0.87, 0.77, 0.40), "green": (0.38, 0.60, 0.38), "teal": (0.30, 0.57, 0.58),
    "blue": (0.30, 0.43, 0.70), "violet": (0.52, 0.38, 0.62),
}  # fmt: skip
"""Display colours in [0, 1]."""
_NAMES = tuple(COLOURS)

Shape = Literal["panel", "table", "block", "ball", "cylinder"]
SHAPES: tuple[Shape, ...] = ("panel", "table", "block", "ball", "cylinder")
SIZES = ("small", "medium", "large")

ATTRIBUTE_VALUES: dict[str, tuple[str, ...]] = {
    "shape": SHAPES,
    "texture": PATTERNS,
    "material": FINISHES,
    "colour": _NAMES,
    "size": SIZES,
}
"""Attributes of an object, in order, and their values: an attribute is the place of its value here. Size is that of the
largest extent: small below 0.4 m, medium below 0.9 m."""


@final
@dataclass(frozen=True)
class Thing:
    """One object of a room.

    Args:
        number: Its instance.
        label: Its class.
        attributes: One id for each of ATTRIBUTE_VALUES.
    """

    number: int
    label: int
    attributes: tuple[int, ...]


@final
@dataclass
class Inventory:
    """The objects of a room as they are added."""

    things: list[Thing] = field(default_factory=list)

    def note(self, label: int, shape: Shape, *, look: DrawnLook, extent: float) -> int:
        """Add an object whose largest extent is `extent` metres; its number."""
        number = len(self.things) + 1
        size = 0 if extent < 0.4 else 1 if extent < 0.9 else 2
        ids = (SHAPES.index(shape), look.texture, look.material, look.colour, size)
        self.things.append(Thing(number, label, ids))
        return number


@final
@dataclass(frozen=True)
class DrawnLook:
    """A look and the ids of its attributes."""

    look: Look
    texture: int
    material: int
    colour: int


def draw_look(draws: Draws, scale: float) -> DrawnLook:
    """Return a random look.

    Args:
        scale: Size of the surface it covers, so that patterns are neither dust nor a single tile.
    """
    texture, material, colour = draws.below(len(PATTERNS)), draws.below(len(FINISHES)), draws.below(len(_NAMES))
    first = _albedo(draws, COLOURS[_NAMES[colour]], factor=1.0)
    if draws.chance(0.4):
        second = _albedo(draws, COLOURS[draws.choice(_NAMES)], factor=1.0)
    else:
        second = _albedo(draws, COLOURS[_NAMES[colour]], factor=draws.between(0.55, 0.8))
    cosine, sine = draws.turn(1.0)
    upright = draws.chance(1.0 / 3.0)
    look = Look(
        pattern=PATTERNS[texture],
        finish=FINISHES[material],
        first=first,
        second=second,
        scale=scale * draws.between(0.12, 0.4),
        # Far from 0, so that a face of the room (x, y or z = 0) does not lie on the boundary between two tiles.
        offset=(draws.unit() + 7.3, draws.unit() + 7.3, draws.unit() + 7.3),
        direction=(0.0, 1.0, 0.0) if upright else (cosine, 0.0, sine),
    )
    return DrawnLook(look, texture, material, colour)


def _albedo(draws: Draws, colour: Point, *, factor: float) -> Point:
    """Display colour -> linear albedo, jittered."""
    red, green, blue = (min(max(v * factor + draws.between(-0.05, 0.05), 0.03), 0.95) for v in colour)
    return red * red, green * green, blue * blue
