"""Furnishes a room: tables with things on them, boxes, balls and cylinders on the floor and on each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from taskweave.data.generated.rendering_room import Body, Camera
from taskweave.data.generated.rendering_solids import Ball, Block, Cylinder, Point, Solid
from taskweave.data.generated.scenes_draws import Draws
from taskweave.data.generated.scenes_looks import BALL, BOX, CYLINDER, TABLE, Inventory, Shape, draw_look


@final
@dataclass(frozen=True)
class _Place:
    """A disc, seen from above, that a thing may fill."""

    x: float
    z: float
    radius: float

    def overlaps(self, other: _Place) -> bool:
        x, z, apart = self.x - other.x, self.z - other.z, self.radius + other.radius
        return x * x + z * z < apart * apart

    def offset(self, x: float, z: float, *, turn: tuple[float, float], y: float) -> Point:
        """A point given in a frame at this place turned as a Block is."""
        c, s = turn
        return self.x + x * c - z * s, y, self.z + z * c + x * s


@final
class Furniture:
    """Adds bodies to a room of `size`, in the view of `camera`."""

    def __init__(self, draws: Draws, size: Point, *, camera: Camera, inventory: Inventory) -> None:
        self._draws = draws
        self._size = size
        self._camera = camera
        self._inventory = inventory
        self._taken: list[_Place] = []
        self.bodies: list[Body] = []

    def add_table(self) -> None:
        """A top on four legs, where there is a free place; things on it."""
        draws = self._draws
        a, b = draws.between(0.4, 0.75), draws.between(0.3, 0.5)
        place = self._free(math.sqrt(a * a + b * b))
        if place is None:
            return
        turn, height, thick = draws.turn(1.0), draws.between(0.45, 0.85), draws.between(0.02, 0.04)
        leg, inset = draws.between(0.02, 0.05), draws.between(0.0, 0.06)
        foot = 0.5 * height - thick
        solids: list[Solid] = [Block((place.x, height - thick, place.z), (a, thick, b), turn)]
        for right in (-1.0, 1.0):
            for front in (-1.0, 1.0):
                x, z = right * (a - leg - inset), front * (b - leg - inset)
                solids.append(Block(place.offset(x, z, turn=turn, y=foot), (leg, foot, leg), turn))
        self._add(TABLE, "table", solids, extent=2.0 * a)
        for u, v in ((-0.55, -0.4), (0.0, 0.35), (0.55, -0.2)):
            if draws.chance(0.55):
                x, _, z = place.offset(u * a, v * b, turn=turn, y=0.0)
                self._add_thing(_Place(x, z, min(0.33 * a, 0.5 * b)), height)

    def add_on_floor(self) -> None:
        """A box, ball or cylinder, where there is a free place."""
        place = self._free(self._draws.between(0.15, 0.45))
        if place is not None:
            self._add_thing(place, 0.0)

    def _free(self, radius: float) -> _Place | None:
        """A free disc on the floor before the camera; None where a few tries found none."""
        draws, (width, _, depth) = self._draws, self._size
        (cx, _, cz), (rx, _, rz), (fx, _, fz) = self._camera.position, self._camera.right, self._camera.forward
        for _ in range(10):
            ahead = draws.between(1.1 + radius, depth)
            aside = ahead * draws.between(-0.6, 0.6)
            place = _Place(cx + ahead * fx + aside * rx, cz + ahead * fz + aside * rz, radius)
            inside = radius < place.x < width - radius and radius - depth < place.z < -radius
            if inside and not any(place.overlaps(other) for other in self._taken):
                self._taken.append(place)
                return place
        return None

    def _add(self, label: int, shape: Shape, solids: list[Solid], *, extent: float) -> None:
        look = draw_look(self._draws, 1.0 if shape == "table" else 0.6)
        number = self._inventory.note(label, shape, look=look, extent=extent)
        self.bodies.append(Body(label, number, tuple(solids), look.look))

    def _add_thing(self, place: _Place, ground: float) -> None:
        """A box, ball or cylinder that fills a disc at height `ground`; on the floor sometimes another on top of it."""
        match self._draws.below(3):
            case 0:
                top = self._add_box(place, ground)
            case 1:
                top = self._add_cylinder(place, ground)
            case _:
                self._add_ball(place, ground)
                return
        if ground == 0.0 and top < 0.9 and self._draws.chance(0.3):
            self._add_thing(_Place(place.x, place.z, 0.5 * place.radius), top)

    def _add_box(self, place: _Place, ground: float) -> float:
        """A box; the height of its top."""
        draws, r = self._draws, place.radius
        a, b, h = r * draws.between(0.65, 0.8), r * draws.between(0.4, 0.6), r * draws.between(0.4, 1.6)
        block = Block((place.x, ground + h, place.z), (a, h, b), draws.turn(1.0))
        self._add(BOX, "block", [block], extent=2.0 * max(a, h))
        return ground + 2.0 * h

    def _add_cylinder(self, place: _Place, ground: float) -> float:
        """A cylinder; the height of its top."""
        r, h = place.radius * self._draws.between(0.5, 0.9), place.radius * self._draws.between(0.4, 1.5)
        self._add(CYLINDER, "cylinder", [Cylinder((place.x, ground + h, place.z), r, h)], extent=2.0 * max(r, h))
        return ground + 2.0 * h

    def _add_ball(self, place: _Place, ground: float) -> None:
        r = place.radius * self._draws.between(0.6, 1.0)
        self._add(BALL, "ball", [Ball((place.x, ground + r, place.z), r)], extent=2.0 * r)
