"""The contract of every unit: what happens where streams meet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from torch import Tensor, nn

from taskweave.features import FeatureShape


class Unit(nn.Module, ABC):
    """A list of features, one per stream that meets (or per gathered stage), in; one feature per stream out.

    A unit is built from the shapes of the features it will be given: ``Unit(shapes, *, options)``. It may change
    channel counts. One unit may serve several connections: that is parameter sharing.
    """

    sgd_lr_multiplier: ClassVar[float] = 1.0
    """How many times the base learning rate the method's authors give this unit under SGD (1 under Adam)."""

    decays: ClassVar[bool] = False
    """Whether weight decay applies to the unit's weights (never to its biases and norms)."""

    def __init__(self, shapes: Sequence[FeatureShape]) -> None:
        super().__init__()
        self.shapes = tuple(shapes)

    @abstractmethod
    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """One feature per stream, in the order of the connection's streams."""

    @property
    def exact_start(self) -> bool:
        """Whether, as built, every stream's feature leaves exactly as it came (in eval mode)."""
        return False

    def sources(self, target: int) -> frozenset[int]:
        """The streams, by position, that the output of stream `target` is computed from."""
        return frozenset(range(len(self.shapes)))

    def forward_some(self, features: Mapping[int, Tensor], targets: Collection[int]) -> dict[int, Tensor]:
        """Only the outputs of `targets`, from only the features of their sources; by position."""
        outputs = self.forward([features[i] for i in range(len(self.shapes))])
        return {target: outputs[target] for target in targets}

    def penalty(self, weights: Sequence[Tensor]) -> Tensor | None:
        """A term for the loss, from the weights of the layers whose features meet here; None where there is none."""
        return None

    @property
    def needs_layer_weights(self) -> bool:
        """Whether `penalty` needs the weights of the layers before this place."""
        return False
