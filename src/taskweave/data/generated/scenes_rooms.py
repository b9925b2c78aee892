"""Draws a random room: its size, walls, doors, pictures and rug, camera and light; the furniture is in scenes_things."""

from __future__ import annotations

from taskweave.data.generated.rendering_room import FACES, Camera, Light, Panel, Room
from taskweave.data.generated.rendering_solids import Point
from taskweave.data.generated.scenes_draws import Draws
from taskweave.data.generated.scenes_looks import CEILING, DOOR, FLOOR, PICTURE, RUG, WALL, Inventory, Thing, draw_look
from taskweave.data.generated.scenes_things import Furniture


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
