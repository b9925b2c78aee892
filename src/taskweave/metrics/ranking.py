"""What each image contributes to a ranking: answers by score, some right, and how many there were to be found."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from taskweave.metrics.per_image import Floats, PerImage, check_lengths, weighted_sums

Bools = NDArray[np.bool_]


class Ranking(NamedTuple):
    """The answers of all classes, one class after the other, each from its highest score down.

    Only operating points at which something is found are kept: between two of them only wrong answers are added, which
    changes neither an average precision nor a miss rate, whichever images are resampled.

    Args:
        image: (n,) the image of each answer.
        right: As in `Ranked`.
        last: (n,) whether an answer is the last with its score, and some answer with that score is right.
        starts: (classes + 1,) where each class begins, and the end.
        objects: (images, classes) how many objects there are to be found.
    """

    image: NDArray[Any]
    right: Bools
    last: Bools
    starts: NDArray[Any]
    objects: NDArray[Any]


class Ranked(NamedTuple):
    """The answers of one class, in any order.

    Args:
        image: (n,) the image of each answer.
        scores: (n,).
        right: (n,) whether each answer is right; or (n, 2, k): by each of k rules, whether it is right, and whether it
            counts.
    """

    image: NDArray[Any]
    scores: Floats
    right: Bools


@dataclass(frozen=True, kw_only=True)
class AnswerImages(PerImage):
    """Answers by class and score; fields as in `Ranking`."""

    _right_axes: ClassVar[int] = 1

    image: NDArray[Any]
    right: Bools
    last: Bools
    starts: NDArray[Any]
    objects: NDArray[Any]

    def __post_init__(self) -> None:
        name, answers = type(self).__name__, {"image": self.image, "right": self.right, "last": self.last}
        check_lengths(name, answers, axes={"image": 1, "right": self._right_axes, "last": 1})
        _check_ranking(name, self.image, self.starts, self.objects)

    @property
    def count(self) -> int:
        return len(self.objects)

    @property
    def _width(self) -> int:
        return self.count + 4 * int(np.diff(self.starts).max(initial=0))


@dataclass(frozen=True, kw_only=True)
class RankedImages(AnswerImages):
    """A number computed from the operating points of each class and averaged over classes.

    Whether an answer is right does not depend on other images, so it stays the same in every resample of the images.

    Args:
        name: The name of the number.
    """

    name: str

    @abstractmethod
    def _of_class(self, right: Floats, wrong: Floats, objects: Floats, images: Floats) -> Floats:
        """Return the number of one class in percent, (B,).

        Args:
            right: (B, k), at operating points from the highest score down; some may be equal, and there may be none.
            wrong: As `right`.
            objects: (B,) how many objects there are to be found.
            images: (B,) how many images there are.
        """

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        objects, images = weighted_sums(weights, self.objects), weights.sum(1)
        values = np.full(objects.shape, np.nan)
        columns = np.ascontiguousarray(weights.T)
        for number, (start, end) in enumerate(zip(self.starts[:-1], self.starts[1:], strict=True)):
            image, last, hit = (of[start:end] for of in (self.image, self.last, self.right))
            right, wrong = (up_to_points(columns, image, last, counted) for counted in (hit, ~hit))
            of_class = self._of_class(right, wrong, objects[:, number], images)
            values[:, number] = np.where(objects[:, number] > 0, of_class, np.nan)
        return {self.name: mean_over_classes(values)}


def rank(classes: Sequence[Ranked], objects: NDArray[Any], *, ties: bool = True) -> Ranking:
    """Rank the answers of all classes by score.

    Args:
        objects: (images, classes) how many objects there are to be found.
        ties: Whether answers of equal score form one operating point; otherwise each is its own, in the order given.
    """
    parts = [_ranked(part, ties=ties) for part in classes]
    image, right, last = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return Ranking(image, right, last, np.cumsum([0, *(len(part[0]) for part in parts)]), objects)


def _check_ranking(owner: str, image: NDArray[Any], starts: NDArray[Any], objects: NDArray[Any]) -> None:
    """Raise ValueError for images or classes that `objects` (images, classes) has not."""
    fits = objects.ndim == 2 and starts.shape == (objects.shape[1] + 1,)
    fits = fits and starts[0] == 0 and starts[-1] == len(image) and bool((np.diff(starts.astype(np.int64)) >= 0).all())
    if not fits or (len(image) and not (image.min() >= 0 and image.max() < len(objects))):
        raise ValueError(
            f"{owner} needs answers of the images and classes of `objects` {objects.shape}, got {len(image)} answers and "
            f"starts of {len(starts) - 1} classes"
        )


def mean_over_classes(values: Floats) -> Floats:
    """(B,): the mean of (B, classes) over those that are not NaN."""
    there = ~np.isnan(values)
    return np.asarray(np.where(there, values, 0.0).sum(1) / there.sum(1))


def up_to_points(columns: Floats, image: NDArray[Any], last: Bools, counted: Bools) -> Floats:
    """Return how many answers of one class count up to each of its k points, (B, k).

    An answer counts as often as its image does.

    Args:
        columns: (images, B), how often each image counts.
        image: (n,) the image of each answer.
        last: (n,) as in `Ranking`.
        counted: (n,) which answers count.
    """
    from scipy.sparse import csr_array

    point = last.cumsum() - last
    shape = (int(last.sum()), len(columns))
    each = csr_array((np.ones(counted.sum()), (point[counted], image[counted])), shape=shape)
    return np.ascontiguousarray((each @ columns).cumsum(0).T)


def best_from_here(precision: Floats) -> Floats:
    """(B, k): the highest precision at each point or after it."""
    return np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]


def reached(recall: Floats, best: Floats, recalls: Floats) -> Floats:
    """(B, r): the highest precision at a recall of at least each of `recalls` (r,); 0 where it is not reached."""
    ended = np.concatenate([best, np.zeros((len(best), 1))], 1)
    return np.take_along_axis(ended, np.stack([np.searchsorted(row, recalls) for row in recall]), 1)


def _ranked(part: Ranked, *, ties: bool) -> tuple[NDArray[Any], Bools, Bools]:
    order = np.argsort(-part.scores, kind="stable")
    image, scores, right = part.image[order], part.scores[order], part.right[order]
    hit = right if right.ndim == 1 else right[:, 0].any(1)
    ends = np.append(scores[1:] != scores[:-1], True)[: len(scores)] | (not ties)
    run = ends.cumsum() - ends
    last = ends & (np.bincount(run[hit], minlength=len(ends))[run] > 0)
    end = int(np.flatnonzero(last)[-1]) + 1 if last.any() else 0
    return image[:end], right[:end], last[:end]
