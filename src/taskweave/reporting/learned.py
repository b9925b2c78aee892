"""What charts show of the weights that connections learned, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class PlaceLink:
    """What reaches the stream (or lane) `destination` from `source` at a place.

    own: whether they are the same.  norm: ||W||_F / sqrt(C_t), see `taskweave.units.learned.LearnedLink`.
    relative: ||W|| over that of the destination's own feature, 1 for the own; None where nothing of the own comes through.
    alphas: the weights, one per channel or block or layer; () for 1x1 convolutions.
    """

    place: str
    source: str
    destination: str
    own: bool
    norm: float
    relative: float | None
    alphas: tuple[float, ...] = ()

    @property
    def direction(self) -> str:
        return f"{self.source} → {self.destination}"
