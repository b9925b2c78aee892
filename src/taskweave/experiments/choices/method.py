"""The methods that a comparison can hold side by side."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self, final

from pydantic import Field, model_validator

from taskweave.experiments.choices.methodchoice import MethodChoice
from taskweave.experiments.choices.pets import PetAuxiliaries, PetOEQ, PetSegNet
from taskweave.experiments.choices.start import Start
from taskweave.experiments.choices.whole import MTAN, DenseSegNet, MTUNet, SplitSegNet

Multiplier = Annotated[float, Field(gt=0.0)]


@final
class Single(MethodChoice):
    """One network per task, trained alone: the baseline."""

    added: ClassVar[frozenset[str]] = MethodChoice.added | {"only"}

    kind: Literal["single"] = "single"
    only: tuple[str, ...] = ()
    """The tasks whose networks this row has; () for all."""

    @property
    def usual_label(self) -> str:
        return "single"


@final
class SingleTrainedOn(MethodChoice):
    """Every single network trained on for as many steps as the connected fine-tuning gets."""

    kind: Literal["single_trained_on"] = "single_trained_on"

    @property
    def usual_label(self) -> str:
        return "single, trained on"


@final
class Ensemble(MethodChoice):
    """Two single networks per task, their predictions averaged (p001: twice cross-stitch's parameters)."""

    kind: Literal["ensemble"] = "ensemble"
    second_seed: int = Field(default=1000, ge=1)
    """Added to a run's seed for its second member."""

    @property
    def usual_label(self) -> str:
        return "ensemble"


@final
class Shared(MethodChoice):
    """Hard sharing: one trunk up to a stage, that stage included."""

    kind: Literal["shared"] = "shared"
    until: str

    @property
    def usual_label(self) -> str:
        return f"shared until {self.until}"


@final
class SharedLatent(MethodChoice):
    """MTL-shared: the last layers of both tasks factorised through a shared latent matrix, trained jointly."""

    kind: Literal["shared_latent"] = "shared_latent"
    rank: int = Field(default=16, ge=1)

    @model_validator(mode="after")
    def _has_no_shortcut(self) -> Self:
        if self.shortcut is not None:
            raise ValueError("shared_latent has no shortcut: its networks share last layers only; leave `shortcut` out")
        return self

    @property
    def usual_label(self) -> str:
        return "shared latent"


class ConnectingChoice(MethodChoice):
    """What every method that connects single networks states."""

    added: ClassVar[frozenset[str]] = MethodChoice.added | {"start"}

    places: tuple[str, ...] = ()
    """Stages where the streams meet, in order; () for the network's usual places."""
    lr_multiplier: Multiplier | None = None
    """How many times the base rate the connections learn at; None for the method's own (SGD) or 1 (Adam)."""
    start: Start | None = None
    """None: the stored single networks, fine-tuned. Otherwise the streams begin here and are trained jointly."""


@final
class CrossStitch(ConnectingChoice):
    """Misra et al. 2016."""

    kind: Literal["cross_stitch"] = "cross_stitch"
    per: Literal["channel", "layer"] = "channel"
    self_weight: float = 0.9
    other_weight: float | None = None

    @property
    def usual_label(self) -> str:
        return "cross-stitch"


@final
class NDDR(ConnectingChoice):
    """Gao et al. 2019."""

    kind: Literal["nddr"] = "nddr"
    order: Literal["paper", "authors", "none"] = "authors"
    """Batch norm on the input (paper), convolution -> batch norm -> ReLU (authors' code), or the convolution alone."""
    initial: Literal["diagonal", "xavier"] = "diagonal"
    self_weight: float = 0.9
    other_weight: float | None = None

    @property
    def usual_label(self) -> str:
        return "NDDR"


@final
class Sluice(ConnectingChoice):
    """Ruder et al. 2019, as a unit for convolutional streams."""

    kind: Literal["sluice"] = "sluice"
    subspaces: int = Field(default=2, ge=1)
    initial: Literal["own", "balanced", "imbalanced"] = "own"
    """own: `self_weight` on every block's own place; the others are the authors' (see `taskweave.Sluice`)."""
    self_weight: float = 0.9
    other_weight: float | None = None
    orthogonality: float = Field(default=0.0, ge=0.0)
    """Factor of the orthogonality penalty."""
    layer_mixing: bool = True
    """Mix the features of all places before the head (beta)."""

    @property
    def usual_label(self) -> str:
        return "sluice"


@final
class CrossConnected(ConnectingChoice):
    """Kawakami et al.: 1x1 convolution + ReLU from every other stream, added."""

    kind: Literal["cross_connected"] = "cross_connected"
    gate: bool = False
    """A gate after the ReLU that starts at 0: the network starts as its single ones and still learns."""
    linear: bool = False
    """Leave the ReLU out."""
    links: tuple[tuple[str, str], ...] = ()
    """Only these (from, to) pairs of tasks; () for every pair."""

    @property
    def usual_label(self) -> str:
        return "cross-connected"


@final
class ScaleLayer(ConnectingChoice):
    """Cross-stitch as the cross-connected paper has it: every channel of the other stream times a number, added."""

    kind: Literal["scale_layer"] = "scale_layer"
    other_weight: float = 0.1
    """All scales at the start; the own feature's is fixed at 1 (`cross_stitch` learns it too)."""

    @property
    def usual_label(self) -> str:
        return "cross-stitch (scale layers)"


@final
class CommonStitch(ConnectingChoice):
    """What the MTAN authors' code has for cross-stitch: one weight for each source, and the same mixture for all."""

    kind: Literal["common_stitch"] = "common_stitch"
    weight: float = 1.0
    """All at the start."""

    @property
    def usual_label(self) -> str:
        return "cross-stitch (one mixture)"


Connecting = Annotated[
    CrossStitch | NDDR | Sluice | CrossConnected | ScaleLayer | CommonStitch, Field(discriminator="kind")
]


@final
class ConnectedTrainedOnOneTask(MethodChoice):
    """The same connected network, trained for one task at a time: does the gain come from the other labels or the size?"""

    kind: Literal["connected_trained_on_one_task"] = "connected_trained_on_one_task"
    connected: Connecting

    @model_validator(mode="after")
    def _one_shortcut(self) -> Self:
        if self.connected.shortcut is not None:
            raise ValueError("give the shortcut to connected_trained_on_one_task itself, not to its `connected`")
        if self.connected.start is not None:
            raise ValueError("connected_trained_on_one_task starts from single networks: leave `connected.start` out")
        if self.connected.network is not None:
            raise ValueError("give the network to connected_trained_on_one_task itself, not to its `connected`")
        return self

    @property
    def usual_label(self) -> str:
        return f"{self.connected.title}, trained on one task"


Method = Annotated[
    Single
    | SingleTrainedOn
    | Ensemble
    | Shared
    | SharedLatent
    | CrossStitch
    | NDDR
    | Sluice
    | CrossConnected
    | ScaleLayer
    | CommonStitch
    | ConnectedTrainedOnOneTask
    | MTUNet
    | MTAN
    | DenseSegNet
    | SplitSegNet
    | PetSegNet
    | PetAuxiliaries
    | PetOEQ,
    Field(discriminator="kind"),
]
