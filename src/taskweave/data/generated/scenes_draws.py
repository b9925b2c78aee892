"""Random draws that are the same on every machine: only raw generator words and exactly rounded arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, final

import numpy as np

Item = TypeVar("Item")


@final
class Draws:
    """A stream of random choices for one scene.

    NumPy promises stable raw words of a bit generator, not stable distributions; and libm's sine differs by an ulp between
    machines. So numbers are made from raw words here, and angles are drawn as (cosine, sine) by the rational
    parametrisation of the circle, which needs no trigonometry.
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
