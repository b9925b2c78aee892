"""Which regions a network looks at that reads regions (Fast R-CNN)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, final

from pydantic import Field, field_validator

from taskweave.experiments.choices.choice import Choice

Positive = Annotated[float, Field(gt=0.0)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


@final
class GridProposals(Choice):
    """Sliding boxes of several scales and shapes, the same for all images of a size: they know nothing of the objects."""

    kind: Literal["grid"] = "grid"
    scales: tuple[Positive, ...] = (0.125, 0.25, 0.5, 1.0)
    """The square root of a box's area, as a share of the image's shorter side."""
    ratios: tuple[Positive, ...] = (0.5, 1.0, 2.0)
    """Height over width."""
    overlap: float = Field(default=0.5, ge=0.0, lt=1.0)
    """Of neighbouring boxes, at least."""


@final
class FileProposals(Choice):
    """Boxes by key, from a file that `taskweave.data.write_proposals` wrote: selective search, an RPN, whatever."""

    kind: Literal["file"] = "file"
    path: Path
    """.npz or .json; a relative path counts from the working directory."""
    expected: int = Field(default=2000, ge=1)
    """About how many an image has: for the cost of a picture, nothing else."""

    @field_validator("path")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()


@final
class Regions(Choice):
    """Label-free proposals, and how regions are drawn from them in training, once per image for all streams."""

    proposals: Annotated[GridProposals | FileProposals, Field(discriminator="kind")] = GridProposals()
    count: int = Field(default=64, ge=1)
    """Regions of a training image."""
    foreground: float = Field(default=0.25, gt=0.0, lt=1.0)
    """The largest share of them that is on objects (1 : 3 in Fast R-CNN)."""
    iou: Fraction = 0.5
    """From this overlap on a region is on an object."""
    background: tuple[Fraction, Fraction] = (0.1, 0.5)
    """Background overlaps an object by so much (from, to); less where there are too few such."""
    with_ground_truth: bool = False
    """In training the true boxes are candidates too, as in Fast R-CNN's code; never in a test."""
