"""Names of what Scenes shows, and how things look: one distribution of looks for walls and things alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from taskweave.data.generated.rendering_solids import Point
from taskweave.data.generated.rendering_textures import FINISHES, PATTERNS, Look
from taskweave.data.generated.scenes_draws import Draws

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
    """One object. number: its instance. label: its class. attributes: one id for each of ATTRIBUTE_VALUES."""

    number: int
    label: int
    attributes: tuple[int, ...]


@final
class Inventory:
    """The objects of a room as they are added."""

    def __init__(self) -> None:
        self.things: list[Thing] = []

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
    """A random look. scale: of what it covers, so that patterns are neither dust nor one tile."""
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
