"""All surfaces of a room, numbered: what each pixel shows, and how that looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from taskweave.data.generated.rendering_room import FACES, Room
from taskweave.data.generated.rendering_solids import Array, Components, Solid
from taskweave.data.generated.rendering_textures import PATTERNS, Look, second_share


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
    """The surfaces of a room: 6 faces, then rim and inside of every panel, then every solid.

    labels, numbers: class and instance of each, uint8.
    """

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
