"""What each image of a test part contributes to a metric: enough to compute it on any multiset of the images.

Every metric here is a function of sums over images (of counts, of errors, of matched detections by score), so the sums
over a bootstrap sample are weighted sums: the weight of an image is how often it was drawn. The network is not run again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, ClassVar, Self, cast, final

import numpy as np
from numpy.typing import NDArray


@final
@dataclass(frozen=True)
class Curve:
    """A curve to draw, and its points.

    Args:
        name: Of the class.
        x, y: Shares or counts as the axis names say, not percent.
        logarithmic: Whether both axes are.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    x_axis: str
    y_axis: str
    logarithmic: bool = False


Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]
_BLOCK = 4_000_000
"""Numbers handled at a time: 32 MB of float64."""


class PerImage(ABC):
    """What each image of a test set contributes to one metric. Subclasses are frozen dataclasses of arrays and numbers.

    Attributes:
        kind: The name by which a stored one is found again (`taskweave.metrics.metric.restored`).
        axes: The arrays with one row per image, and how many axes each has.
    """

    kind: ClassVar[str]
    axes: ClassVar[Mapping[str, int]] = MappingProxyType({})

    def __post_init__(self) -> None:
        check_lengths(type(self).__name__, {name: getattr(self, name) for name in self.axes}, axes=self.axes)

    @property
    def count(self) -> int:
        """How many images there are."""
        return len(getattr(self, next(iter(self.axes))))

    @abstractmethod
    def _scores(self, weights: Floats) -> dict[str, Floats]:
        """`scores` of some rows of weights, whole numbers in float64."""

    @property
    def _width(self) -> int:
        """About how many numbers `_scores` handles at once for one row of weights."""
        return self.count

    @final
    def scores(self, weights: NDArray[Any]) -> dict[str, Floats]:
        """The metric on multisets of the images.

        Args:
            weights: (B, count) whole numbers from 0, how often each image counts; rows of ones give the metric itself.

        Returns:
            {metric: float64 (B,)}, NaN where it is undefined.

        Raises:
            ValueError: The weights have another shape, are negative or are no whole numbers.
        """
        rows = _checked(weights, self.count)
        step = max(1, _BLOCK // max(1, self._width))
        with np.errstate(divide="ignore", invalid="ignore"):  # 0 / 0 is how an undefined number comes about
            parts = [self._scores(rows[i : i + step].astype(np.float64)) for i in range(0, max(1, len(rows)), step)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def stored(self) -> Arrays:
        """{name: array}: "kind" and one for each field; whole numbers in few bytes, single values without axes."""
        arrays = {field.name: _small(np.asarray(getattr(self, field.name))) for field in fields(cast("Any", self))}
        return {"kind": np.asarray(self.kind), **arrays}

    @classmethod
    def from_stored(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild an object from the arrays that `stored` returned.

        Raises:
            ValueError: Arrays are missing or do not fit together.
        """
        names = [field.name for field in fields(cast("Any", cls))]
        if missing := [name for name in names if name not in arrays]:
            raise ValueError(f"{cls.__name__} is stored as {names}, but {missing} are missing among {sorted(arrays)}")
        given: dict[str, Any] = {name: arrays[name] if arrays[name].ndim else arrays[name].item() for name in names}
        return cls(**given)


def weighted_sums(weights: Floats, values: NDArray[Any]) -> Floats:
    """(B, ...): sums over images of weights (B, n) times values (n, ...); what is not finite counts only where weighed."""
    if values.dtype.kind in "iub":
        return np.asarray(np.tensordot(weights, values.astype(np.float64), 1))
    flat = values.reshape(len(values), -1).astype(np.float64)
    finite = np.isfinite(flat)
    found = weights @ np.where(finite, flat, 0.0)
    for image in np.flatnonzero(~finite.all(1)):  # 0 x NaN is NaN, but an image that was not drawn is not there
        found += np.where(weights[:, image, None] > 0, np.where(finite[image], 0.0, flat[image]), 0.0)
    return np.asarray(found.reshape(len(weights), *values.shape[1:]))


def weighted_median(weights: Floats, values: NDArray[Any]) -> Floats:
    """(B,): the median of values (n,) of which each is there weights (B, n) times; as `exact_median`."""
    order = np.argsort(values)
    up_to = weights[:, order].cumsum(1)
    total = weights.sum(1)
    ranks = np.stack([(total - 1) // 2, total // 2])
    at = np.minimum((up_to <= ranks[:, :, None]).sum(-1), max(0, len(values) - 1))
    middle = values[order].astype(np.float64)[at].mean(0)
    spoilt = (weights[:, ~np.isfinite(values)] > 0).any(1)
    return np.where((total == 0) | spoilt, np.nan, middle)


def check_lengths(owner: str, arrays: Mapping[str, NDArray[Any]], *, axes: Mapping[str, int]) -> None:
    """Raise ValueError unless the arrays have so many axes, and their first ones one length."""
    shapes = {name: array.shape for name, array in arrays.items()}
    if any(len(shapes[name]) != count for name, count in axes.items()) or len({shape[:1] for shape in shapes.values()}) > 1:
        raise ValueError(f"{owner} needs arrays of {dict(axes)} axes with one row per image, got {shapes}")


def _checked(weights: NDArray[Any], count: int) -> NDArray[Any]:
    rows = np.asarray(weights)
    if rows.ndim != 2 or rows.shape[1] != count:
        raise ValueError(f"weights are (B, {count}), one column for each image, got {rows.shape}")
    if (rows.dtype.kind not in "iub" and (rows % 1 != 0).any()) or (rows < 0).any():
        raise ValueError("weights are how often each image counts: whole numbers from 0")
    return rows


def _small(array: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers from 0 in the smallest type that holds them all."""
    if array.dtype.kind not in "iu" or not array.size or array.min() < 0:
        return array
    return array.astype(np.min_scalar_type(int(array.max())))
