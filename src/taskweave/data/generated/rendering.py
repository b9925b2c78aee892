"""Renders a room: an anti-aliased picture, and exact labels at the pixel centres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from taskweave.data.generated.rendering_room import FACES, Room
from taskweave.data.generated.rendering_shading import shade
from taskweave.data.generated.rendering_solids import Array, Components, Rays
from taskweave.data.generated.rendering_surfaces import Surfaces
from taskweave.data.generated.rendering_textures import scrambled

_SUBPIXELS = ((0.33, 0.10), (-0.25, 0.28), (-0.08, -0.38))
_EDGE = 0.08
_GRAIN = 0.025


@final
@dataclass(frozen=True)
class Rendering:
    """What a camera sees.

    image: uint8 (3, H, W) RGB.  labels: uint8 (H, W), classes.
    instances: uint8 (H, W), numbers of bodies and panels, 0 = room.
    depth: float32 (H, W), metres along the optical axis.  normals: float32 (3, H, W), unit; x right, y up, z to the camera.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    instances: NDArray[np.uint8]
    depth: Array
    normals: Array


def render(room: Room, size: tuple[int, int]) -> Rendering:
    """The view of the room's camera at `size` (height, width), the same to the bit on every machine."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return _render(room, size)


def _render(room: Room, size: tuple[int, int]) -> Rendering:
    surfaces = Surfaces(room)
    row, column = (grid.ravel() for grid in np.indices(size, dtype=np.float32))
    rays = room.camera.rays(column + 0.5, row + 0.5, size)
    depth, which = _trace(room, rays)
    colour, normal = _look_at(surfaces, rays=rays, depth=depth, which=which)
    rough = _edges(which.reshape(size), colour.reshape(3, *size)).ravel().nonzero()[0]
    more = _finer(surfaces, column=column[rough], row=row[rough], size=size)
    colour[:, rough] = ((colour[:, rough] + more[0]) + (more[1] + more[2])) * np.float32(0.25)
    return Rendering(
        image=_developed(colour, room.number).reshape(3, *size),
        labels=surfaces.labels[which].reshape(size),
        instances=surfaces.numbers[which].reshape(size),
        depth=depth.reshape(size),
        normals=np.stack(room.camera.seen(*normal)).reshape(3, *size),
    )


def _trace(room: Room, rays: Rays) -> tuple[Array, NDArray[np.uint8]]:
    """The nearest hit of each ray and the number of its surface."""
    depth, which = room.hit(rays)
    first = len(FACES) + 2 * len(room.panels)
    for number, t, rows in _hits(room, rays):
        closer = t < depth[rows]
        depth[rows[closer]] = t[closer]
        which[rows[closer]] = first + number
    for number, panel in enumerate(room.panels):
        rows = np.nonzero(which == panel.face)[0]
        point = rays.take(rows).at(depth[rows])
        for inner, margin in enumerate((0.0, panel.rim)):
            which[rows[panel.inside(point, margin)]] = len(FACES) + 2 * number + inner
    return depth, which


def _hits(room: Room, rays: Rays) -> Iterator[tuple[int, Array, NDArray[np.intp]]]:
    """(number of the solid, t, rows of the rays it was tried on); rays that pass its body far off are left out."""
    number = 0
    for body in room.bodies:
        rows = rays.near(*body.bounds)
        near = rays.take(rows)
        for solid in body.solids:
            if len(rows):
                yield number, solid.hit(near), rows
            number += 1


def _shadowed(room: Room, point: Components) -> NDArray[np.bool_]:
    """Which points the light does not reach: rays from the light that are stopped before they arrive at t = 1."""
    x, y, z = (p - o for p, o in zip(point, room.light.position, strict=True))
    rays = Rays(room.light.position, x, y, z)
    dark = np.zeros(x.shape, np.bool_)
    for _, t, rows in _hits(room, rays):
        dark[rows] |= t < 0.999
    return dark


def _look_at(surfaces: Surfaces, *, rays: Rays, depth: Array, which: NDArray[np.uint8]) -> tuple[Array, Components]:
    """Colour (3, N) and world normal at each hit."""
    order, ends = surfaces.sorted(which)
    point = rays.take(order).at(depth[order])
    albedo, normal, gloss = surfaces.appearance(point, ends)
    colour = shade(surfaces.room, point, normal, albedo=albedo, gloss=gloss, dark=_shadowed(surfaces.room, point))
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    x, y, z = normal
    return colour[:, back], (x[back], y[back], z[back])


def _edges(which: NDArray[np.uint8], colour: Array) -> NDArray[np.bool_]:
    """Pixels that differ from a neighbour, in surface or in colour: those worth more rays."""
    rough = np.zeros(which.shape, np.bool_)
    for axis in (0, 1):
        ahead = tuple(slice(1, None) if a == axis else slice(None) for a in (0, 1))
        behind = tuple(slice(None, -1) if a == axis else slice(None) for a in (0, 1))
        differs = which[ahead] != which[behind]
        for channel in colour:
            differs |= np.abs(channel[ahead] - channel[behind]) > _EDGE
        rough[ahead] |= differs
        rough[behind] |= differs
    return rough


def _finer(surfaces: Surfaces, *, column: Array, row: Array, size: tuple[int, int]) -> list[Array]:
    """Colours (3, N) of three more rays within each pixel."""
    columns = np.concatenate([column + np.float32(0.5 + dx) for dx, _ in _SUBPIXELS])
    rows = np.concatenate([row + np.float32(0.5 + dy) for _, dy in _SUBPIXELS])
    rays = surfaces.room.camera.rays(columns, rows, size)
    depth, which = _trace(surfaces.room, rays)
    colour, _ = _look_at(surfaces, rays=rays, depth=depth, which=which)
    return np.split(colour, len(_SUBPIXELS), axis=1)


def _developed(colour: Array, number: int) -> NDArray[np.uint8]:
    """Display values in [0, 1] to bytes, with the grain of a sensor."""
    count = np.arange(colour.shape[1], dtype=np.uint32) + np.uint32(number & 0xFFFF) * np.uint32(65536)
    grain = scrambled(count) + scrambled(count ^ np.uint32(0x5BD1E995)) - 1.0
    value = np.clip(colour + _GRAIN * grain, 0.0, 1.0)
    return (value * 255.0 + 0.5).astype(np.uint8)
