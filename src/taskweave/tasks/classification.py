"""Classification: one class for the whole image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

import torch.nn.functional as F
from torch import Tensor

from taskweave.metrics.accuracy import Accuracy
from taskweave.tasks.checks import check_answers, check_class_numbers, check_one_each
from taskweave.tasks.dense import no_loss, precise
from taskweave.tasks.labels import Named, class_names
from taskweave.tasks.pictures import caption, captioned
from taskweave.tasks.segmentation import most_frequent
from taskweave.tasks.task import Direction, Form, Task, plain


@final
class Classification(Task):
    """Outputs are logits (B, classes), targets class numbers (B,) from 0, predictions the same.

    An image whose class is not known has no label: a missing key in its sample, not a special number.
    The loss is cross-entropy, the mean over images.

    Args:
        labels: With the names of the classes; or the names alone, or how many.
    """

    reads: ClassVar[Form] = "numbers"
    dense: ClassVar[bool] = False
    counted: ClassVar[str] = "images"
    directions: ClassVar[Mapping[str, Direction]] = Accuracy.directions

    def __init__(self, labels: Named) -> None:
        self.classes = class_names("Classification", labels, least=2)

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

    def metric(self) -> Accuracy:
        return Accuracy(self)

    def numbers(self, target: Any) -> Tensor:
        return plain(target).flatten()

    def constants(self, numbers: Tensor | None) -> list[Tensor]:
        """The most frequent class."""
        return most_frequent(numbers, len(self.classes))

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
