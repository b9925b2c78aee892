"""What a network begins with, told by the part that gave it."""

from __future__ import annotations

from typing import NamedTuple


class Start(NamedTuple):
    """What a start did to a network.

    source: Where the weights are from, for reports; empty for random ones.
    licence: Of the weights, where it is known.
    """

    source: str = ""
    licence: str = ""
