"""The contract of every head."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from torch import Tensor, nn

from taskweave.features import FeatureShape


class Head(nn.Module, ABC):
    """One feature in, the raw prediction of one task out.

    Args:
        shape: Shape of the feature that is read; its channels and its stride are known, its size need not be.
        channels: Channels of the output, e.g. classes. Options of a subclass follow as keywords.
    """

    stages: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    """Stages of the head at which streams may meet: name -> the submodules that it runs, in order."""

    last: ClassVar[tuple[str, ...]] = ("",)
    """Paths of the last layers, which may learn at a rate of their own; "" for the whole head."""

    def __init__(self, shape: FeatureShape, channels: int) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Any:
        for paths in self.stages.values():
            for path in paths:
                x = self.get_submodule(path)(x)
        return self.finish(x)

    @abstractmethod
    def finish(self, x: Tensor) -> Any:
        """The output from the feature of the last of `stages`, or from the head's input where it has none."""
