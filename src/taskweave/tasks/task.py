"""The contract of every task, and the facts of the labels that it is made for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import torch
from torch import Tensor
from torchmetrics import Metric

from taskweave.heads.layers import AnchorOutputs, RoiAttributes, RoiOutputs
from taskweave.images import IMAGENET, ImageStatistics
from taskweave.metrics.gain import Direction as Direction
from taskweave.tasks.pictures import Key, lines_over


@final
@dataclass(frozen=True)
class Labels:
    """Facts of the labels that a task is built for.

    Args:
        names: Of the classes or attributes, in the order of their numbers; () where the task has none.
        far: Depth at which pictures reach the last colour, in metres or in the unit of the data.
        statistics: With which images are normalised before the network sees them.
        targets: Gives an iterator over this task's targets in the train part, image by image, to count class weights
            or fit a codebook on; None where only shapes matter.

    Raises:
        ValueError: `far` is not above 0.
    """

    names: tuple[str, ...] = ()
    far: float = 10.0
    statistics: ImageStatistics = IMAGENET
    targets: Callable[[], Iterator[Any]] | None = None

    def __post_init__(self) -> None:
        if not self.far > 0:
            raise ValueError(f"far is a depth in metres above 0, got {self.far}")


Named = Labels | Sequence[str] | int
"""Labels, the names of the classes alone, or how many there are."""


def as_labels(given: Named) -> Labels:
    """Labels, of names alone where only these are given."""
    if isinstance(given, Labels):
        return given
    return Labels(()) if isinstance(given, int) else Labels(tuple(given))


def class_names(task: str, given: Named, *, least: int, first: int = 0, word: str = "class") -> tuple[str, ...]:
    """The names of the classes that a task is built for; "class 0", "class 1" ... where only their number is given.

    Args:
        task: Its name, for messages.
        least: How many classes there must be.
        first, word: The number of the first unnamed class, and what stands before it.

    Raises:
        ValueError: There are fewer, or one text is given instead of several names.
    """
    plain = given.names if isinstance(given, Labels) else given
    names = tuple(f"{word} {i + first}" for i in range(plain)) if isinstance(plain, int) else tuple(plain)
    if isinstance(plain, str) or len(names) < least:
        wanted = "the names of at least two classes" if least > 1 else "at least one name (background has none)"
        raise ValueError(f"{task} expects {wanted}, or their number, got {plain!r}")
    return names


Form = Literal["map", "anchors", "regions", "boxes", "numbers"]
"""What a network gives and a task reads: a map (B, C, h, w), logits of anchors or of regions, torchvision's losses and
boxes, or numbers (B, n)."""


class Task(ABC):
    """A target, a loss, a decoding and metrics. It knows nothing of training, and not the name it goes by.

    Outputs are what a stream returns (for dense tasks (B, C, h, w) at any resolution), targets what a data set gives.

    A task of your own states the abstract members; the facts and the rest have defaults for a dense task. Its constructor
    takes `Labels` or nothing by position; what a person chooses is keyword-only.

    Facts:
        reads: The form of the network's output.
        dense: Whether outputs, targets and predictions are maps.
        regression: Whether an uncertainty weighting treats its loss as that of a regression.
        reads_targets: Whether its network is given the targets too in training.
        counted: What `class_counts` counts.
    """

    reads: ClassVar[Form] = "map"
    dense: ClassVar[bool] = True
    regression: ClassVar[bool] = False
    reads_targets: ClassVar[bool] = False
    counted: ClassVar[str] = "labels"
    classes: tuple[str, ...] = ()
    """The names of what it tells apart, in the order of its metrics' values by class; () where it tells nothing apart."""

    @property
    @abstractmethod
    def directions(self) -> Mapping[str, Direction]:
        """Every metric's name, in the order of a table's columns, and which way is better.

        A class attribute where all tasks of a kind have the same metrics.
        """

    @property
    @abstractmethod
    def channels(self) -> int:
        """How many channels the network's output needs."""

    def network_input(self, image: Tensor, target: Any | None, rois: Sequence[Tensor] | None) -> Any:
        """Return the input of the task's stream: by default the images (B, 3, H, W) alone.

        Args:
            target: The batch's targets of this task if it is being trained and has labels, else None.
            rois: Regions per image (r_i, 4) for networks that read them; None if the data have none.
        """
        return image

    @abstractmethod
    def loss(self, output: Any, target: Any) -> Tensor:
        """A scalar, averaged over what is labelled; 0 with a gradient of 0 where nothing is labelled."""

    def label_count(self, output: Any, target: Any) -> Tensor | float:
        """What `loss` divides by: two parts' losses average, weighted by it, to the loss of both parts together.

        Processes that train together weigh their losses by it, unless they add up. Default: the number of samples.
        """
        return float(len(target))

    @property
    def adds_up(self) -> bool:
        """Whether the losses of two parts add up to that of both together (a sum over pixels), instead of averaging."""
        return False

    @property
    def needs_true_boxes(self) -> bool:
        """Whether it is measured on the true boxes, which its network is then given as regions."""
        return False

    def select(self, output: Any, rows: Tensor) -> Any:
        """Return the output of the labelled samples of a batch.

        Args:
            rows: Their indices, int64.
        """
        return select(output, rows)

    @abstractmethod
    def soft(self, output: Any, size: tuple[int, int]) -> Any:
        """What an ensemble averages, at `size` (height, width): probabilities, unit normals, metres."""

    @abstractmethod
    def harden(self, soft: Any) -> Any:
        """From an (averaged) soft prediction to the prediction itself."""

    def decode(self, output: Any, size: tuple[int, int]) -> Any:
        """The prediction at `size` (height, width)."""
        return self.harden(self.soft(output, size))

    @abstractmethod
    def metric(self) -> Metric:
        """A fresh metric, exact over the whole set however it is split into batches.

        ``update(prediction, target)`` takes decoded predictions, ``compute()`` gives {name: scalar}.
        """

    def class_counts(self, target: Any) -> Tensor:
        """int64 (classes,): how many labels of each class one image's target has. Default: a tensor of class numbers."""
        numbers = plain(target).flatten().long()
        return torch.bincount(numbers[(numbers >= 0) & (numbers < len(self.classes))], minlength=len(self.classes))

    def numbers(self, target: Any) -> Tensor | None:
        """One image's target as numbers (n,) or (n, channels) that `constants` chooses from; None for a task without."""
        return None

    def constants(self, numbers: Tensor | None) -> list[Tensor]:
        """Return the best constant predictions for the training labels, made without looking at an image; [] for none.

        Args:
            numbers: (N,) or (N, channels), `numbers` of many training images joined; None if there are none.
        """
        return []

    def constant_answer(self, constant: Tensor, target: Any) -> tuple[Any, Any]:
        """A constant as the prediction for one image, and the image's target, as the metric takes them.

        Default: the constant, () or (channels,), in every pixel.
        """
        label = plain(target)[None]
        return (constant.reshape(1, *constant.shape, 1, 1) if constant.ndim else constant).expand(label.shape), label

    @abstractmethod
    def picture(self, value: Any) -> Tensor:
        """One prediction or target as RGB uint8 (3, H, W), for people to look at."""

    def over(self, image: Tensor, value: Any) -> Tensor:
        """One prediction or target drawn for its image, both RGB uint8 (3, H, W).

        Dense ones as they are, boxes over their image, which is darkened; an answer for the whole image is its caption.
        """
        if not isinstance(value, Mapping):
            return self.picture(torch.as_tensor(value).as_subclass(Tensor))
        return lines_over(image, self.picture(value))

    def legend(self, pictures: Iterable[Tensor]) -> list[Key]:
        """What the colours of drawn targets and predictions, RGB uint8 (3, H, W), stand for; [] for a task without such."""
        return []


def plain(target: Any) -> Tensor:
    """A label as a plain tensor."""
    return torch.as_tensor(target).as_subclass(Tensor)


def mean_soft(task: Task, outputs: Sequence[Any], size: tuple[int, int]) -> Any:
    """The soft prediction of an ensemble: the mean of its members' (`Task.soft`); `Task.harden` makes it the prediction."""
    softs = [task.soft(output, size) for output in outputs]
    return sum(softs[1:], softs[0]) / len(softs)


def select(output: Any, rows: Tensor) -> Any:
    """The samples `rows` (int64) of an output: along axis 0 of tensors, by image for what is made of anchors or regions.

    Mappings and sequences (an ensemble's outputs) are gone into.
    """
    match output:
        case Tensor():
            return output[rows]
        case AnchorOutputs():
            return AnchorOutputs(output.logits[rows], output.deltas[rows], output.anchors)
        case RoiOutputs():
            regions, rois = _regions(output.rois, rows)
            return RoiOutputs(output.logits[regions], output.deltas[regions], rois)
        case RoiAttributes():
            regions, rois = _regions(output.rois, rows)
            return RoiAttributes(output.logits[regions], rois)
        case Mapping():
            return {key: select(value, rows) for key, value in output.items()}
        case list() | tuple():
            return [select(value, rows) for value in output]
    return output


def _regions(rois: tuple[Tensor, ...], rows: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Positions of the regions of some images among all, and the regions themselves."""
    chosen = rows.tolist()
    counts = [len(part) for part in rois]
    places = torch.split(torch.arange(sum(counts), device=rows.device), counts)
    return torch.cat([places[i] for i in chosen]), tuple(rois[i] for i in chosen)
