"""bf16 autocast in Lightning Fabric that leaves what networks are given as it is."""

from __future__ import annotations

from typing import Any, final

from lightning.fabric.plugins import MixedPrecision


@final
class Autocasting(MixedPrecision):
    """Fabric's bf16 autocast, without its rounding of all inputs: autocast itself casts what convolutions multiply.

    Regions of interest are inputs, too: at 8 bits a coordinate of 600 would be off by up to 2 pixels.
    """

    def __init__(self, device: str) -> None:
        super().__init__("bf16-mixed", device=device)

    def convert_input(self, data: Any) -> Any:
        return data
