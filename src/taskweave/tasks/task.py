"""The contract of every task: what is predicted, from what output, and how good it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from taskweave.metrics.gain import Direction as Direction
from taskweave.tasks.detection_pictures import lines_over
from taskweave.tasks.selecting import select

if TYPE_CHECKING:
    from torchmetrics import Metric


class Task(ABC):
    """A target, a loss, a decoding and metrics. It knows nothing of training, and not the name it goes by.

    Outputs are what a stream returns (for dense tasks (B, C, h, w) at any resolution), targets what a data set gives.
    """

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
        """What the task's stream is given: by default the images (B, 3, H, W) alone.

        target: the batch's targets of this task where it is trained and they are there, else None.
        rois: per image (r_i, 4) regions, for networks that read them; None where the data have none.
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

    def select(self, output: Any, rows: Tensor) -> Any:
        """The output of those samples of a batch that are labelled; rows: int64."""
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
        """A fresh metric: ``update(prediction, target)`` with decoded predictions, ``compute() -> {name: scalar}``.

        Exact over the whole set however it is split into batches; its states reduce by sums (or concatenation).
        """

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


def mean_soft(task: Task, outputs: Sequence[Any], size: tuple[int, int]) -> Any:
    """The soft prediction of an ensemble: the mean of its members' (`Task.soft`); `Task.harden` makes it the prediction."""
    softs = [task.soft(output, size) for output in outputs]
    return sum(softs[1:], softs[0]) / len(softs)
