"""No exchange."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import final

from torch import Tensor

from taskweave.units.unit import Unit


@final
class Identity(Unit):
    """Hands every feature on unchanged: the control of every experiment. It has no options and no parameters."""

    @property
    def exact_start(self) -> bool:
        return True

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return list(features)

    def sources(self, target: int) -> frozenset[int]:
        return frozenset((target,))

    def forward_some(self, features: Mapping[int, Tensor], targets: Collection[int]) -> dict[int, Tensor]:
        return {target: features[target] for target in targets}
