"""Networks of all tasks that are built as one and trained jointly from their start."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self, final

from pydantic import Field, model_validator

from taskweave.experiments.choices.methodchoice import MethodChoice
from taskweave.experiments.choices.network import DeepLabResNet, SegNetVGG16, STUNet


class WholeChoice(MethodChoice):
    """What all of them state: `network` is the single-task network that they are made of."""

    added: ClassVar[frozenset[str]] = MethodChoice.added - {"network"}

    @model_validator(mode="after")
    def _has_no_shortcut(self) -> Self:
        if self.shortcut is not None:
            raise ValueError(f"{self.usual_label} has no shortcut; leave `shortcut` out")
        return self


@final
class MTUNet(WholeChoice):
    """One dense encoder, a decoder with attention for every task, and cross-talk between the decoders (p003)."""

    kind: Literal["mt_unet"] = "mt_unet"
    network: STUNet = STUNet()
    cross_talk: bool = True
    """Decoder block 2 of each task is read by block 3 of all others."""

    @property
    def usual_label(self) -> str:
        return "MT-UNet" if self.cross_talk else "MT-UNet without cross-talk"


@final
class MTAN(WholeChoice):
    """One SegNet or ResNet for all tasks, and for each a column of attention that chooses among its features."""

    kind: Literal["mtan"] = "mtan"
    network: Annotated[SegNetVGG16 | DeepLabResNet, Field(discriminator="kind")] = SegNetVGG16()
    """A deeplab_resnet has the head aspp_v3."""

    @model_validator(mode="after")
    def _has_its_head(self) -> Self:
        if isinstance(self.network, DeepLabResNet) and self.network.head != "aspp_v3":
            raise ValueError(f"mtan on a deeplab_resnet has the head aspp_v3, got {self.network.head!r}")
        return self

    @property
    def usual_label(self) -> str:
        return "MTAN"


@final
class DenseSegNet(WholeChoice):
    """A SegNet per task that is handed every feature of a shared one: MTAN's "Dense", without attention."""

    kind: Literal["dense"] = "dense"
    network: SegNetVGG16 = SegNetVGG16()

    @property
    def usual_label(self) -> str:
        return "Dense"


@final
class SplitSegNet(WholeChoice):
    """One SegNet for all tasks with a head for each, grown until it is as large as MTAN."""

    kind: Literal["split"] = "split"
    network: SegNetVGG16 = SegNetVGG16()
    """Before it grows."""
    grown: Literal["standard", "wide", "deep"] = "wide"
    """wide: more channels; deep: more convolutions; standard: neither."""

    @property
    def usual_label(self) -> str:
        return f"Split ({self.grown})"
