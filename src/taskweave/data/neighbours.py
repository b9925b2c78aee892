"""Scenes where a data set does not name them."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 20


def scenes_of_neighbours(numbers: Sequence[int], *, longest: int = LONGEST) -> tuple[str, ...]:
    """A scene's name for each frame number: frames whose numbers follow each other without a gap are one scene.

    NYUv2 numbers its pictures scene by scene, so frames of one scene are neighbours; a gap in an official split is where
    scenes of the other part lie. Two scenes may be joined by this, which only makes the held-out part coarser. A run is cut
    after `longest` frames, since a layout that renumbers its files has one run only: at such a cut, and only there, a scene
    may be in both parts. `nyu_depth_v2_labeled.mat` names its scenes and needs none of this.
    """
    names: list[str] = []
    start = length = 0
    for position, number in enumerate(numbers):
        follows = position > 0 and number == numbers[position - 1] + 1
        start, length = (start, length + 1) if follows and length < longest else (number, 1)
        names.append(f"from {start:04d}")
    return tuple(names)
