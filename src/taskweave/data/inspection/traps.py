"""Known traps: labels that are not what they seem. A new one is one class, and its line in `traps_for`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torchvision import tv_tensors

from taskweave.data.inspection.facts import known_pixels
from taskweave.data.inspection.layout import Layout
from taskweave.data.tensors import Depth, Disparity, Normals

Array = npt.NDArray[Any]
_FEWEST, _MOST = 3, 2 / 3
"""A vote needs so many pictures, and so large a share of them: a few odd ones prove nothing."""


class Trap(ABC):
    """Looks at the pictures of a split one after the other."""

    kind: ClassVar[str]

    @abstractmethod
    def look(self, target: str, stored: Array | None, value: Any | None) -> None:
        """Look at one target of one picture.

        Args:
            stored: The numbers in the file; None if there are none.
            value: What the reader returned for them; None if it returned nothing.
        """

    @abstractmethod
    def found(self) -> str | None:
        """What is wrong, what it does, and what to do; None where nothing is."""


class Vote(Trap):
    """A trap that shows in most pictures of a split, not in all of them.

    Attributes:
        advice: What is wrong in those pictures, and what to do.
    """

    advice: ClassVar[str]

    def __init__(self) -> None:
        self.votes: list[bool] = []

    def found(self) -> str | None:
        if len(self.votes) < _FEWEST or sum(self.votes) < _MOST * len(self.votes):
            return None
        return f"in {sum(self.votes)} of {len(self.votes)} pictures {self.advice}"


@final
class GreyNormals(Trap):
    """NDDR's normal files: (127, 127, 127), a vector of no length, beside 255 for what is invalid."""

    kind = "127-grey normals"

    def __init__(self) -> None:
        self.grey = self.pixels = 0

    def look(self, target: str, stored: Array | None, value: Any | None) -> None:
        if target == "normals" and stored is not None and stored.dtype == np.uint8 and stored.ndim == 3:
            self.grey += int(((stored == 127) | (stored == 128)).all(axis=2).sum())
            self.pixels += stored.shape[0] * stored.shape[1]

    def found(self) -> str | None:
        if not self.grey:
            return None
        return (
            f"{self.grey / self.pixels:.1%} of the pixels are grey (127, 127, 127): vectors of no length. The NDDR "
            "authors' code counts them as labels, which changes angles; taskweave reads them as invalid. Keep that in mind "
            "when you compare with their tables"
        )


class Reversed(Vote):
    """What stands on the ground is nearer below: depth falls towards the bottom of most pictures, disparity rises."""

    expected: ClassVar[type[Depth | Disparity]]

    def look(self, target: str, stored: Array | None, value: Any | None) -> None:
        if isinstance(value, self.expected) and (ratio := below_over_above(value)) is not None:
            self.votes.append(ratio > 1.05 if self.expected is Depth else ratio < 1 / 1.05)


@final
class DisparityForDepth(Reversed):
    """Depth that rises towards the bottom."""

    kind, expected = "disparity taken for depth", Depth
    advice = (
        "the numbers are larger in the lower third than in the upper, as disparities are; depth in metres is smaller "
        "there, where the ground is near. Check what the files hold; Cityscapes' disparities (PNG, or npy as MTAN's) are "
        "read by cityscapes, cityscapes_mtan and auto_lambda"
    )


@final
class DepthForDisparity(Reversed):
    """Inverse depth that falls."""

    kind, expected = "depth taken for disparity", Disparity
    advice = (
        "the numbers are smaller in the lower third than in the upper, as depth in metres is; inverse depth is larger "
        "there. Check what the files hold, and keep disparities as the release has them"
    )


@final
class SwappedNormals(Trap):
    """Written by OpenCV without turning its order round: (z, y, x). Visible surfaces look at the camera, so z > 0."""

    kind = "BGR normals"

    def __init__(self) -> None:
        self.right = self.towards = self.known = 0

    def look(self, target: str, stored: Array | None, value: Any | None) -> None:
        if isinstance(value, Normals):
            vectors = value.as_subclass(Tensor).numpy()[:, known_pixels(value)]
            self.right += int((vectors[0] > 0).sum())
            self.towards += int((vectors[2] > 0).sum())
            self.known += vectors.shape[1]

    def found(self) -> str | None:
        if not self.known or self.right < 0.95 * self.known or self.towards > 0.9 * self.known:
            return None
        return (
            f"{self.right / self.known:.0%} of the normals point to the right and {self.towards / self.known:.0%} to the "
            "camera: first and third channel are swapped, as OpenCV reads and writes them (BGR). A mirror would then turn "
            "the wrong component; write the files again as RGB = (x, y, z)"
        )


@final
class SwappedPictures(Vote):
    """Rooms are lit by lamps: red is above blue in nearly all pictures (in 96 % of 198 of NYUv2)."""

    kind = "BGR pictures"
    advice = (
        "blue is above red, in rooms a sign of swapped channels (BGR, as OpenCV reads and writes them): weights that were "
        "trained on RGB lose accuracy without a word. Look at one; write them again as RGB"
    )

    def look(self, target: str, stored: Array | None, value: Any | None) -> None:
        if isinstance(value, tv_tensors.Image):
            red, _, blue = value.as_subclass(Tensor).float().mean((1, 2)).tolist()
            self.votes.append(blue > 1.02 * red)


def traps_for(layout: Layout) -> list[Trap]:
    """Fresh ones for a split of this layout."""
    general: list[Trap] = [GreyNormals(), SwappedNormals(), DisparityForDepth(), DepthForDisparity()]
    return [*general, SwappedPictures()] if layout.indoor else general


def below_over_above(value: Depth | Disparity) -> float | None:
    """The median of the labelled pixels in the lower third over that in the upper; None where one has few."""
    values = value.as_subclass(Tensor).numpy()[0]
    third = max(1, len(values) // 3)
    parts = [part[part > 0] for part in (values[-third:], values[:third])]
    if any(part.size < 0.1 * third * values.shape[1] for part in parts):
        return None
    return float(np.median(parts[0]) / np.median(parts[1]))
