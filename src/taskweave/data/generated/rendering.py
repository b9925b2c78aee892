"""Renders a room: an anti-aliased picture, and exact labels at the pixel centres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from taskweave.data.generated.looks import PATTERNS, Look, scrambled, second_share
from taskweave.data.generated.room import FACES, Room
from taskweave.data.generated.solids import Array, Components, Point, Rays, Solid

_SHINE = 0.35


def shade(
    room: Room, point: Components, normal: Components, *, albedo: Array, gloss: Array, dark: NDArray[np.bool_]
) -> Array:
    """Display colour (3, N) in [0, 1].

    Linear light: albedo * (ambient + lambert * falloff of each light) + highlight; then 1.5 x / (x + 0.5) against burnt-out
    spots and a square root as the display curve.
    """
    light = room.light
    toward, distance = _toward(light.position, point)
    reach = (~dark) * (5.0 / (1.0 + distance * distance))
    direct = np.maximum(_dot(normal, toward), 0.0) * reach
    fill, far = _toward(light.fill_position, point)
    soft = np.maximum(_dot(normal, fill), 0.0) * (light.fill * 5.0 / (1.0 + far * far))
    even = light.ambient * (0.8 + 0.2 * normal[1]) + soft
    shine = _SHINE * gloss * reach * _highlight(room, point, normal, toward=toward)
    channels = []
    for value, tint in zip(albedo, light.colour, strict=True):
        linear = value * (direct * tint + even) + shine * tint
        channels.append(np.sqrt(1.5 * linear / (linear + 0.5)))
    colour: Array = np.clip(np.stack(channels), 0.0, 1.0)
    return colour


def _toward(target: Point, point: Components) -> tuple[Components, Array]:
    """Unit vectors from points to a target, and the distances."""
    x, y, z = (t - p for t, p in zip(target, point, strict=True))
    distance = np.sqrt(x * x + y * y + z * z)
    return (x / distance, y / distance, z / distance), distance


def _dot(a: Components, b: Components) -> Array:
    product: Array = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product


def _highlight(room: Room, point: Components, normal: Components, *, toward: Components) -> Array:
    """Blinn's half-vector term to the 32nd power, by squaring: a power function is not the same on every machine."""
    eye, _ = _toward(room.camera.position, point)
    half = (eye[0] + toward[0], eye[1] + toward[1], eye[2] + toward[2])
    cosine = np.maximum(_dot(normal, half), 0.0)
    square: Array = np.divide(cosine * cosine, np.maximum(_dot(half, half), np.float32(1e-9)))
    for _ in range(4):
        square = square * square
    return square


@final
@dataclass(frozen=True)
class _Surface:
    """A face of the room, a panel, its rim, or one solid of a body. Of faces and panels `solid` is None."""

    label: int
    number: int
    look: Look
    face: int = 0
    solid: Solid | None = None

    def normal(self, point: Components) -> tuple[Array | float, ...]:
        return Room.inward(self.face) if self.solid is None else self.solid.normal(point)

    def local(self, point: Components) -> Components:
        return point if self.solid is None else self.solid.local(point)


@final
class Surfaces:
    """The surfaces of a room: 6 faces, then rim and inside of every panel, then every solid."""

    def __init__(self, room: Room) -> None:
        self.room = room
        faces = [_Surface(room.labels[face], 0, room.looks[face], face) for face in range(len(FACES))]
        panels = [
            _Surface(panel.label, panel.number, look, panel.face)
            for panel in room.panels
            for look in (panel.rim_look, panel.look)
        ]
        solids = [
            _Surface(body.label, body.number, body.look, solid=solid) for body in room.bodies for solid in body.solids
        ]
        surfaces = faces + panels + solids
        self.labels = np.array([surface.label for surface in surfaces], np.uint8)
        self.numbers = np.array([surface.number for surface in surfaces], np.uint8)
        kinds = [PATTERNS.index(surface.look.pattern) for surface in surfaces]
        ranking = sorted(range(len(surfaces)), key=kinds.__getitem__)
        self._ranked = [surfaces[number] for number in ranking]
        self._rank = np.zeros(len(surfaces), np.uint8)
        self._rank[ranking] = np.arange(len(surfaces))
        self._kind_ends = np.searchsorted(sorted(kinds), range(len(PATTERNS) + 1))

    def sorted(self, which: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """An order of the hits in which each surface is one slice and each pattern is one slice; and the surfaces' ends."""
        rank = self._rank[which]
        order = np.argsort(rank, kind="stable")
        return order, np.searchsorted(rank[order], np.arange(len(self._rank) + 1))

    def appearance(self, point: Components, ends: NDArray[np.intp]) -> tuple[Array, Components, Array]:
        """Albedo (3, N), world normal and gloss (0 or 1) of sorted hits."""
        count = len(point[0])
        place, normal = np.empty((3, count), np.float32), np.empty((3, count), np.float32)
        for surface, start, end in zip(self._ranked, ends[:-1], ends[1:], strict=True):
            if start < end:
                x, y, z = point
                here = (x[start:end], y[start:end], z[start:end])
                place[:, start:end] = surface.look.laid_out(surface.local(here))
                for axis, part in enumerate(surface.normal(here)):
                    normal[axis, start:end] = part
        first, second, gloss = self._paint(np.diff(ends))
        albedo = first + self._shares(place, ends[self._kind_ends]) * (second - first)
        return albedo, (normal[0], normal[1], normal[2]), gloss

    def _shares(self, place: Array, ends: NDArray[np.intp]) -> Array:
        """The second colour's share; every pattern is worked out once, for all that wear it."""
        share = np.empty(place.shape[1], np.float32)
        for pattern, start, end in zip(PATTERNS, ends[:-1], ends[1:], strict=True):
            if start < end:
                x, y, z = place[:, start:end]
                share[start:end] = second_share(pattern, x, y, z)
        return share

    def _paint(self, counts: NDArray[np.intp]) -> tuple[Array, Array, Array]:
        """First and second colour (3, N) and gloss of hits, `counts` on each surface."""
        looks = [surface.look for surface in self._ranked]
        rows = np.array([(*look.first, *look.second, look.finish == "glossy") for look in looks], np.float32)
        paint = np.repeat(rows.T, counts, axis=1)
        return paint[:3], paint[3:6], paint[6]


_SUBPIXELS = ((0.33, 0.10), (-0.25, 0.28), (-0.08, -0.38))
_EDGE = 0.08
_GRAIN = 0.025


@final
@dataclass(frozen=True)
class Rendering:
    """What a camera sees. Normals are unit vectors: x right, y up, z to the camera; instance 0 is the room."""

    image: NDArray[np.uint8]  # (3, H, W) RGB
    labels: NDArray[np.uint8]  # (H, W)
    instances: NDArray[np.uint8]  # (H, W)
    depth: Array  # (H, W), metres along the optical axis
    normals: Array  # (3, H, W)


@np.errstate(divide="ignore", invalid="ignore")
def render(room: Room, size: tuple[int, int]) -> Rendering:
    """The view of the room's camera at `size` (height, width), the same to the bit on every machine."""
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
