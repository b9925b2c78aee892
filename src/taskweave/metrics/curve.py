"""A curve behind a number: precision over recall, miss rate over false positives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Curve:
    """A curve to draw, and its points.

    Args:
        name: Of the class.
        x, y: Shares or counts as the axis names say, not percent.
        logarithmic: Whether both axes are.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    x_axis: str
    y_axis: str
    logarithmic: bool = False
