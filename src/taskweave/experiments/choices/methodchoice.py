"""What every method states."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, final

from pydantic import Field

from taskweave.experiments.choices.choice import Choice
from taskweave.experiments.choices.network import Network
from taskweave.parts import Part
from taskweave.weighting import Weighting


@final
class ShortcutOptions(Choice):
    """NDDR's shortcut: the fused features of all places, resized to the last, concatenated, own 1x1 convolution."""

    channels: int = Field(default=512, ge=1)
    """What the layer after the last place takes: 512 for VGG-16 and ResNet-18."""
    normalise: bool = True
    """Batch norm and ReLU after the convolution, as the authors' code."""
    places: tuple[str, ...] = ()
    """Stages whose features it gathers; () for those where the method's streams meet, or the network's usual places."""


class MethodChoice(Choice):
    """What every method states."""

    added: ClassVar[frozenset[str]] = frozenset({"network", "weighting"})

    label: str = ""
    """What the table calls it; unique in a recipe. Empty for the method's own name."""
    shortcut: ShortcutOptions | None = None
    network: Network | None = None
    """What this row's networks are; None for the recipe's."""
    weighting: Part[Weighting] | None = None
    """How the losses of the tasks of one network are weighed; None: each times the `weight` of its task."""

    @property
    @abstractmethod
    def usual_label(self) -> str:
        """The method's name where no label was given."""

    @property
    def title(self) -> str:
        shortcut = " + shortcut" if self.shortcut is not None else ""
        weighting = f", {self.weighting.fact('title', self.weighting.name)}" if self.weighting is not None else ""
        return self.label or self.usual_label + shortcut + weighting
