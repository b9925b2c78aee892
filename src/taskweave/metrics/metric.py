"""Metrics that remember what each image contributed, several of them as one, and their exchange between processes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.utilities.distributed import gather_all_tensors

from taskweave import metrics
from taskweave.metrics.gain import Direction
from taskweave.metrics.per_image import Arrays, Curve, Floats, PerImage
from taskweave.parts.words import snake_case

_TYPES = (torch.float32, torch.float64, torch.int32, torch.int64)


class PerImageMetric(Metric):
    """A metric of images that gives the sufficient statistics of each, in the order in which it saw them.

    ``update(prediction, target)`` takes decoded predictions, ``compute()`` gives {name: scalar}.
    """

    full_state_update = False

    def __init__(self) -> None:
        super().__init__(dist_sync_fn=gather_from_anywhere)

    @property
    @abstractmethod
    def directions(self) -> Mapping[str, Direction]:
        """The names of its numbers, and which way they are better. A class attribute where there is no choice."""

    def add_rows(self, *names: str) -> None:
        """States of a flat vector for every update: a process without images has an empty one, which joins only those."""
        for name in names:
            self.add_state(name, [], dist_reduce_fx="cat")

    def keep(self, name: str, values: Tensor) -> None:
        """Add to such a state."""
        getattr(self, name).append(values.flatten())

    def rows(self, name: str, width: int = 1) -> Tensor:
        """Such a state in main memory, (rows, width), as it is before or while processes are synchronised."""
        values = getattr(self, name)
        chunks = values if isinstance(values, list) else [values]
        return torch.cat([chunk.cpu() for chunk in chunks] or [torch.empty(0)]).view(-1, width)

    def everywhere(self) -> AbstractContextManager[None]:
        """In which the states are those of all processes."""
        context: AbstractContextManager[None] = self.sync_context(dist_sync_fn=self.dist_sync_fn)
        return context

    @abstractmethod
    def per_image(self) -> PerImage:
        """What each image contributed; those of all processes, in their order, where several take part."""

    def class_scores(self) -> dict[str, Tensor]:
        """{metric: its values by class, (classes,), NaN where undefined}, of those numbers that are means over classes.

        {} for a metric without such. In the metric's own unit.
        """
        return {}

    def curves(self) -> list[Curve]:
        """The curves behind its numbers, of all processes; [] for a metric without curves."""
        return []


@final
class JoinedMetric(PerImageMetric):
    """The numbers of several metrics of the same predictions, in their order. Metrics of one's own may give a scalar.

    Args:
        metrics: At least one; their numbers have different names.
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        super().__init__()
        self.metrics = nn.ModuleList(metrics)

    @property
    def parts(self) -> tuple[Metric, ...]:
        """The metrics."""
        return tuple(part for part in self.metrics if isinstance(part, Metric))

    @property
    def directions(self) -> Mapping[str, Direction]:
        return {name: way for part in self.parts for name, way in directions_of(part).items()}

    def update(self, prediction: Any, target: Any) -> None:
        for part in self.parts:
            part.update(prediction, target)

    def compute(self) -> dict[str, Tensor]:
        numbers: dict[str, Tensor] = {}
        for part in self.parts:
            found = part.compute()
            numbers |= found if isinstance(found, Mapping) else {_name_of(part): found}
        return numbers

    def reset(self) -> None:
        """Forget all images."""
        super().reset()
        for part in self.parts:
            part.reset()

    def merge_state(self, incoming_state: dict[str, Any] | Metric) -> None:
        """Merge the state of another joined metric made of the same metrics.

        Raises:
            TypeError: It is not a JoinedMetric.
        """
        if not isinstance(incoming_state, JoinedMetric):
            raise TypeError(f"a JoinedMetric takes in another, got {type(incoming_state).__name__}")
        for part, other in zip(self.parts, incoming_state.parts, strict=True):
            part.merge_state(other)

    def per_image(self) -> JoinedImages:
        """What each image contributed to those metrics that can say so."""
        return JoinedImages(tuple(part.per_image() for part in self._of_images()))

    def class_scores(self) -> dict[str, Tensor]:
        return {name: values for part in self._of_images() for name, values in part.class_scores().items()}

    def curves(self) -> list[Curve]:
        return [curve for part in self._of_images() for curve in part.curves()]

    def _of_images(self) -> list[PerImageMetric]:
        return [part for part in self.parts if isinstance(part, PerImageMetric)]


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

    def stored(self) -> Arrays:
        """The parts are numbered: "0/kind"."""
        parts = {f"{i}/{name}": array for i, part in enumerate(self.parts) for name, array in part.stored().items()}
        return {"kind": np.asarray(self.kind), **parts}

    @staticmethod
    def split(arrays: Mapping[str, NDArray[Any]]) -> list[Arrays]:
        """The `stored` arrays of each part."""
        parts: dict[str, Arrays] = {}
        for name, array in arrays.items():
            number, _, rest = name.partition("/")
            if rest:
                parts.setdefault(number, {})[rest] = array
        return list(parts.values())


def exact_median(chunks: Sequence[Tensor]) -> Tensor:
    """The median of all float32 values of all chunks, as a float64 scalar; NaN of nothing, or where one is not finite.

    Of an even number the mean of the middle two.
    """
    values = torch.cat([torch.empty(0), *(chunk.detach().cpu() for chunk in chunks)]).numpy()
    if not len(values) or not np.isfinite(values).all():
        return torch.tensor(torch.nan, dtype=torch.float64)
    middle = [(len(values) - 1) // 2, len(values) // 2]
    values.partition(middle)
    return torch.from_numpy(values[middle].astype(np.float64)).mean()


def directions_of(metric: Metric) -> Mapping[str, Direction]:
    """The names of a metric's numbers, and which way they are better; of a scalar, torchmetrics' `higher_is_better`.

    Raises:
        ValueError: The metric says neither.
    """
    stated: Mapping[str, Direction] | None = getattr(metric, "directions", None)
    if stated is not None:
        return stated
    if metric.higher_is_better is None:
        raise ValueError(
            f"{type(metric).__name__} does not say which way it is better; state `directions` ({{name: 'higher' or "
            "'lower'}) on the class"
        )
    return {_name_of(metric): "higher" if metric.higher_is_better else "lower"}


def gather_from_anywhere(value: Tensor, group: Any = None) -> list[Tensor]:
    """`gather_all_tensors` for values in main memory too, which NCCL does not carry, and for lists that are empty."""
    home = value.device
    if torch.distributed.get_backend(group) == "nccl":
        value = value.cuda()
    return [part.to(home) for part in gather_all_tensors(_in_one_type(value, group), group)]


def _in_one_type(value: Tensor, group: Any) -> Tensor:
    """A process that saw no image holds an empty float32 vector, whatever the others hold: it takes their type."""
    said = torch.tensor(_TYPES.index(value.dtype) if value.numel() else -1, device=value.device)
    found = max(int(number) for number in gather_all_tensors(said, group))
    return value if found < 0 else value.to(_TYPES[found])


def _name_of(metric: Metric) -> str:
    return snake_case(type(metric).__name__)


def restored(arrays: Mapping[str, NDArray[Any]]) -> PerImage:
    """The images whose `PerImage.stored` arrays these are.

    Classes are found by their `kind` among ours and those that are loaded; nothing that the arrays name is imported.

    Raises:
        ValueError: The kind is unknown, or arrays are missing or do not fit.
    """
    kind = str(arrays["kind"]) if "kind" in arrays else ""
    if kind == JoinedImages.kind:
        return JoinedImages(tuple(restored(part) for part in JoinedImages.split(arrays)))
    for name in dir(metrics):
        getattr(metrics, name)  # loads what ours store
    known = {one.kind: one for one in _below(PerImage)}
    if kind not in known:
        raise ValueError(f"stored images of the kind {kind!r} are none of {sorted(known)}; update taskweave")
    return known[kind].from_stored(arrays)


def _below(base: type[Any]) -> Iterator[type[PerImage]]:
    """The concrete classes under a class, ours last, so that no other takes their place."""
    own = [one for one in base.__subclasses__() if not one.__module__.startswith("taskweave.")]
    for one in [*own, *(one for one in base.__subclasses__() if one not in own)]:
        yield from _below(one)
        if "kind" in vars(one):
            yield one
