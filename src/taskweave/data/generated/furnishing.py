"""Draws a random room: its size, walls, doors, pictures and rug, camera and light, and the furniture in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from taskweave.data.generated.looks import (
    BALL,
    BOX,
    CEILING,
    CYLINDER,
    DOOR,
    FLOOR,
    PICTURE,
    RUG,
    TABLE,
    WALL,
    Draws,
    Inventory,
    Shape,
    Thing,
    draw_look,
)
from taskweave.data.generated.room import FACES, Body, Camera, Light, Panel, Room
from taskweave.data.generated.solids import Ball, Block, Cylinder, Point, Solid


@final
@dataclass(frozen=True)
class _Disc:
    """A disc, seen from above, that a thing may fill."""

    x: float
    z: float
    radius: float

    def overlaps(self, other: _Disc) -> bool:
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
        self._taken: list[_Disc] = []
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
                self._add_thing(_Disc(x, z, min(0.33 * a, 0.5 * b)), height)

    def add_on_floor(self) -> None:
        """A box, ball or cylinder, where there is a free place."""
        place = self._free(self._draws.between(0.15, 0.45))
        if place is not None:
            self._add_thing(place, 0.0)

    def _free(self, radius: float) -> _Disc | None:
        """A free disc on the floor before the camera; None where a few tries found none."""
        draws, (width, _, depth) = self._draws, self._size
        (cx, _, cz), (rx, _, rz), (fx, _, fz) = self._camera.position, self._camera.right, self._camera.forward
        for _ in range(10):
            ahead = draws.between(1.1 + radius, depth)
            aside = ahead * draws.between(-0.6, 0.6)
            place = _Disc(cx + ahead * fx + aside * rx, cz + ahead * fz + aside * rz, radius)
            inside = radius < place.x < width - radius and radius - depth < place.z < -radius
            if inside and not any(place.overlaps(other) for other in self._taken):
                self._taken.append(place)
                return place
        return None

    def _add(self, label: int, shape: Shape, solids: list[Solid], *, extent: float) -> None:
        look = draw_look(self._draws, 1.0 if shape == "table" else 0.6)
        number = self._inventory.note(label, shape, look=look, extent=extent)
        self.bodies.append(Body(label, number, tuple(solids), look.look))

    def _add_thing(self, place: _Disc, ground: float) -> None:
        """A box, ball or cylinder that fills a disc at height `ground`; on the floor sometimes another on top of it."""
        kind = self._draws.below(3)
        if kind == 2:
            r = place.radius * self._draws.between(0.6, 1.0)
            self._add(BALL, "ball", [Ball((place.x, ground + r, place.z), r)], extent=2.0 * r)
            return
        top = self._add_cylinder(place, ground) if kind else self._add_box(place, ground)
        if ground == 0.0 and top < 0.9 and self._draws.chance(0.3):
            self._add_thing(_Disc(place.x, place.z, 0.5 * place.radius), top)

    def _add_box(self, place: _Disc, ground: float) -> float:
        """A box; the height of its top, as of a cylinder."""
        draws, r = self._draws, place.radius
        a, b, h = r * draws.between(0.65, 0.8), r * draws.between(0.4, 0.6), r * draws.between(0.4, 1.6)
        block = Block((place.x, ground + h, place.z), (a, h, b), draws.turn(1.0))
        self._add(BOX, "block", [block], extent=2.0 * max(a, h))
        return ground + 2.0 * h

    def _add_cylinder(self, place: _Disc, ground: float) -> float:
        r, h = place.radius * self._draws.between(0.5, 0.9), place.radius * self._draws.between(0.4, 1.5)
        self._add(CYLINDER, "cylinder", [Cylinder((place.x, ground + h, place.z), r, h)], extent=2.0 * max(r, h))
        return ground + 2.0 * h


def draw_room(seed: int, index: int) -> tuple[Room, tuple[Thing, ...]]:
    """The room of picture `index` of set `seed`, and its objects (also those that cannot be seen)."""
    draws, inventory = Draws(seed, index), Inventory()
    size = (draws.between(3.0, 6.0), draws.between(2.3, 3.2), draws.between(3.5, 6.5))
    camera = _camera(draws, size)
    furniture = Furniture(draws, size, camera=camera, inventory=inventory)
    for _ in range(draws.below(3)):
        furniture.add_table()
    for _ in range(3 + draws.below(4)):
        furniture.add_on_floor()
    panels = [_rug(draws, size, inventory)] if draws.chance(0.6) else []
    panels += _wall_panels(draws, size, inventory)
    floor, ceiling, wall, accent = (draw_look(draws, 1.4).look for _ in range(4))
    walls = [wall] * 4
    if draws.chance(0.4):
        walls[draws.below(4)] = accent
    room = Room(
        size=size,
        looks=(floor, ceiling, *walls),
        labels=(FLOOR, CEILING, WALL, WALL, WALL, WALL),
        bodies=tuple(furniture.bodies),
        panels=tuple(panels),
        camera=camera,
        light=_light(draws, size),
        number=draws.below(65536),
    )
    return room, tuple(inventory.things)


FOCAL = 0.8
"""Focal length in units of the picture's longer side: a view of 64 degrees, the same for every picture."""


def _camera(draws: Draws, size: Point) -> Camera:
    """At eye height near the back wall, turned up to 30 degrees aside, up to 21 degrees down."""
    c, s = draws.turn(0.27)
    t = draws.between(-0.19, 0.02)
    cp, sp = (1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t)
    return Camera(
        position=(size[0] * draws.between(0.3, 0.7), draws.between(1.1, 1.75), -draws.between(0.15, 0.5)),
        right=(c, 0.0, s),
        up=(-s * sp, cp, c * sp),
        forward=(s * cp, sp, -c * cp),
        focal=FOCAL,
    )


def _light(draws: Draws, size: Point) -> Light:
    width, height, depth = size
    warm = draws.between(-0.12, 0.12)
    return Light(
        position=(width * draws.between(0.15, 0.85), height * draws.between(0.75, 0.93), -depth * draws.between(0.1, 0.85)),
        colour=(1.0 + warm, 1.0, 1.0 - warm),
        fill_position=(width * draws.between(0.2, 0.8), height * 0.6, -depth * draws.between(0.05, 0.9)),
        fill=draws.between(0.05, 0.25),
        ambient=draws.between(0.1, 0.25),
    )


def _wall_panels(draws: Draws, size: Point, inventory: Inventory) -> list[Panel]:
    """Doors and pictures along the three walls that can be seen, side by side."""
    width, height, depth = size
    panels: list[Panel] = []
    for face, low, high in (("left", -depth, -1.0), ("right", -depth, -1.0), ("front", 0.0, width)):
        start = low + draws.between(0.1, 0.5)
        while start < high - 0.9:
            door, there = draws.chance(0.3), draws.chance(0.65)
            half = draws.between(0.38, 0.5) if door else draws.between(0.25, 0.55)
            if there and start + 2.0 * half < high - 0.1:
                panels.append(_wall_panel(draws, face, (start + half, half, height), door=door, inventory=inventory))
            start += 2.0 * half + draws.between(0.1, 0.8)
    return panels


def _wall_panel(draws: Draws, face: str, span: tuple[float, float, float], *, door: bool, inventory: Inventory) -> Panel:
    """One door or picture. span: its middle along the wall, half its width, the height of the room."""
    along, half, ceiling = span
    tall = draws.between(0.95, 1.05) if door else draws.between(0.2, 0.5)
    level = tall if door else draws.between(0.75 + tall, ceiling - 0.15 - tall)
    look, rim = draw_look(draws, 0.8), draw_look(draws, 0.8)
    label = DOOR if door else PICTURE
    number = inventory.note(label, "panel", look=look, extent=2.0 * max(half, tall))
    # A panel's axes are the face's own two in the order x, y, z: (y, z) on the side walls, (x, y) at the front.
    front = face == "front"
    center, size = ((along, level), (half, tall)) if front else ((level, along), (tall, half))
    width = draws.between(0.02, 0.07)
    return Panel(
        label, number, FACES.index(face), center=center, half=size, turn=(1.0, 0.0), rim=width,
        look=look.look, rim_look=rim.look,
    )  # fmt: skip


def _rug(draws: Draws, size: Point, inventory: Inventory) -> Panel:
    width, _, depth = size
    half = (draws.between(0.5, 0.3 * width), draws.between(0.4, 0.25 * depth))
    center = (width * draws.between(0.35, 0.65), -depth * draws.between(0.4, 0.7))
    look, rim = draw_look(draws, 1.0), draw_look(draws, 1.0)
    number = inventory.note(RUG, "panel", look=look, extent=2.0 * max(half))
    turn, border = draws.turn(0.3), draws.between(0.0, 0.15)
    return Panel(
        RUG, number, FACES.index("floor"), center=center, half=half, turn=turn, rim=border,
        look=look.look, rim_look=rim.look,
    )  # fmt: skip
