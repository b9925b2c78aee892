"""Test images whose true gain is known, for what is said of gains on few of them."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from taskweave.metrics.per_image import Floats, PerImage


@final
@dataclass(frozen=True)
class Errors(PerImage):
    """A metric that is a mean over images: "abs", lower is better. errors: (images,)."""

    errors: Floats
    kind: ClassVar[str] = "simulated errors"

    @property
    def count(self) -> int:
        return len(self.errors)

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        return {"abs": weights @ self.errors / weights.sum(1)}


@final
@dataclass(frozen=True)
class Overlaps(PerImage):
    """A metric that is a mean of ratios of sums: "mIoU" in percent. hit, union: (images, classes) pixels."""

    hit: Floats
    union: Floats
    kind: ClassVar[str] = "simulated overlaps"

    @property
    def count(self) -> int:
        return len(self.hit)

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        return {"mIoU": 100.0 * (weights @ self.hit / (weights @ self.union)).mean(-1)}


@final
@dataclass(frozen=True)
class World:
    """Images drawn without end, on which both methods find the same ones hard; what is true of all of them.

    error: of the baseline, the method's is lower by `less`.  found: the share of labelled pixels that each method hits, by
    class; wrong: pixels hit beside them, relative to the labelled ones.
    """

    error: float = 1.0
    less: float = 0.05
    found: tuple[tuple[float, ...], tuple[float, ...]] = ((0.5, 0.6, 0.4), (0.55, 0.58, 0.45))
    wrong: tuple[float, float] = (0.5, 0.4)

    @property
    def gain_abs(self) -> float:
        return self.less

    @property
    def gain_miou(self) -> float:
        """In points: IU of a class is E[hit] / E[union] = found / (1 + wrong)."""
        base, new = self.mious
        return new - base

    @property
    def mious(self) -> tuple[float, float]:
        base, new = (
            100.0 * float(np.mean(found)) / (1.0 + wrong) for found, wrong in zip(self.found, self.wrong, strict=True)
        )
        return base, new

    @property
    def relative(self) -> float:
        """The mean of both tasks' relative gains, in percent: each has one metric."""
        return 100.0 * (self.gain_miou / self.mious[0] + self.gain_abs / self.error) / 2

    def draw(self, images: int, generator: np.random.Generator) -> tuple[dict[str, Errors | Overlaps], ...]:
        """({column: the baseline's images}, {column: the method's})."""
        hard = generator.uniform(-1.0, 1.0, size=images)  # of an image, for both methods
        labelled = generator.gamma(1.0, size=(images, len(self.found[0])))  # as unequal as real classes are
        sides = []
        for side in range(2):
            own = 0.2 * generator.standard_normal(images)
            errors = self.error - side * self.less + 0.4 * hard + own
            hit = labelled * (
                np.array(self.found[side]) - 0.3 * hard[:, None] + 0.05 * generator.uniform(-1, 1, labelled.shape)
            )
            union = labelled * (1.0 + self.wrong[side] * (1.0 + 0.5 * hard[:, None]))
            sides.append({"depth": Errors(errors), "segmentation": Overlaps(hit, union)})
        return tuple(sides)
