"""What every network starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, final

from pydantic import Field, field_validator

from taskweave.experiments.choices.choice import Choice
from taskweave.experiments.choices.data import Augmentation, Size


@final
class Scratch(Choice):
    """Random weights of the run's seed."""

    kind: Literal["scratch"] = "scratch"


@final
class PretrainedOnScenes(Choice):
    """Bodies trained on generated scenes, once; every stream of every method and seed starts from the same.

    One body is trained for segmentation, depth and normals together; heads start fresh.
    """

    kind: Literal["scenes"] = "scenes"
    steps: int = Field(default=300, ge=1)
    batch_size: int = Field(default=8, ge=1)
    images: int = Field(default=512, ge=1)
    size: Size = (96, 128)
    learning_rate: float = Field(default=1e-3, gt=0.0)
    """Of Adam, polynomial decay."""
    augmentation: Augmentation = Augmentation()
    seed: int = 0


@final
class FromFile(Choice):
    """Weights of a file (.safetensors, or a state dict that torch.load reads); the head may differ and starts fresh."""

    kind: Literal["file"] = "file"
    path: Path

    @field_validator("path")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()


@final
class LibraryWeights(Choice):
    """The ImageNet weights that timm or torchvision offers for the body (needs the network once)."""

    kind: Literal["library"] = "library"


Start = Annotated[Scratch | PretrainedOnScenes | FromFile | LibraryWeights, Field(discriminator="kind")]
