"""Networks that say one thing of a whole image: an age, a gender, a species, a box."""

from __future__ import annotations

from typing import Annotated, Literal, final

from pydantic import Field

from taskweave.experiments.choices.choice import Choice
from taskweave.experiments.choices.vgg import VGG16Choice


@final
class VGG16(VGG16Choice):
    """VGG-16, as in the NDDR paper's age and gender; stages conv1_1 ... pool5, and with its own head fc6, fc7."""

    kind: Literal["vgg16"] = "vgg16"
    head: Literal["vgg", "pooled"] = "vgg"
    """vgg: fc6, fc7, fc8 on a grid of means; pooled: a linear layer on the mean of pool5."""
    grid: int = Field(default=7, ge=1)
    """Cells a side of that grid; 7 at 224 pixels."""
    hidden: int = Field(default=4096, ge=1)
    """Channels of fc6 and fc7."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.5


@final
class TimmClassifier(Choice):
    """Any timm network with its own pooled linear head; its stages are its own (layer1, stages.0, blocks.3 ...)."""

    kind: Literal["timm_classifier"] = "timm_classifier"
    body: str = "resnet18"
    """timm's name of it."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0


Classifier = VGG16 | TimmClassifier
