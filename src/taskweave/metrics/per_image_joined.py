"""Several views of the same images as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from taskweave.metrics.per_image import Floats, PerImage


@final
@dataclass(frozen=True)
class JoinedImages(PerImage):
    """The numbers of all parts, which are of the same images."""

    kind: ClassVar[str] = "joined"

    parts: tuple[PerImage, ...]

    def __post_init__(self) -> None:
        counts = [part.count for part in self.parts]
        if len(set(counts)) != 1:
            raise ValueError(f"JoinedImages needs parts of the same images, got some of {counts} images")

    @property
    def count(self) -> int:
        return self.parts[0].count

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        return {name: values for part in self.parts for name, values in part.scores(weights).items()}
