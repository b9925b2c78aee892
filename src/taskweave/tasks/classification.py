"""Classification: one class for the whole image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, final

import torch.nn.functional as F
from torch import Tensor

from taskweave.tasks.class_numbers import check_class_numbers, names_of
from taskweave.tasks.dense import no_loss, precise
from taskweave.tasks.task import Direction, Task
from taskweave.tasks.whole_image import caption, captioned, check_answers, check_one_each

if TYPE_CHECKING:
    from torchmetrics import Metric


@final
class Classification(Task):
    """Outputs are logits (B, classes), targets class numbers (B,) from 0, predictions the same.

    An image whose class is not known has no label: a missing key in its sample, not a special number.
    The loss is cross-entropy, the mean over images.

    classes: their names, or how many there are.
    """

    directions: ClassVar[Mapping[str, Direction]] = {"accuracy": "higher", "class accuracy": "higher"}

    def __init__(self, classes: Sequence[str] | int) -> None:
        self.classes = names_of("Classification", classes)

    @property
    def channels(self) -> int:
        return len(self.classes)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        check_answers("Classification", output, self.channels)
        check_one_each("Classification", output, target)
        check_class_numbers("Classification", target, self.classes)
        return F.cross_entropy(precise(output), target.long()) if len(target) else no_loss(output)

    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        """Probabilities (B, classes)."""
        check_answers("Classification", output, self.channels)
        return precise(output).softmax(1)

    def harden(self, soft: Tensor) -> Tensor:
        """The most probable class of each image, int64 (B,)."""
        return soft.argmax(1)

    def metric(self) -> Metric:
        from taskweave.metrics.accuracy import AccuracyMetric

        return AccuracyMetric(len(self.classes))

    def picture(self, value: Tensor) -> Tensor:
        """The class's name in white on black."""
        return caption(self._name(value))

    def over(self, image: Tensor, value: Tensor) -> Tensor:
        """The image with the class's name at its top."""
        return captioned(image, self._name(value))

    def _name(self, value: Tensor) -> str:
        if value.ndim != 0:
            raise ValueError(
                f"Classification draws one class number (), got {tuple(value.shape)}; draw one sample at a time"
            )
        check_class_numbers("Classification", value, self.classes)
        return self.classes[int(value)]
