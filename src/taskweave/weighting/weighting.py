"""The contract of every weighting: several losses to one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn


class Weighting(nn.Module, ABC):
    """{task: loss} -> one loss. It sees losses only; what it must remember is in its own state_dict."""

    @abstractmethod
    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of the losses that are there; a task without a label in the batch is a missing key."""

    @abstractmethod
    def weights(self) -> dict[str, float]:
        """The current weights, for the log."""
