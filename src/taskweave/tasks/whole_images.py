"""Tasks of one answer per image: its class, and the age of a face in it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, final

import torch
import torch.nn.functional as F
from annotated_types import Ge
from torch import Tensor

from taskweave.metrics.whole_images import AbsoluteError, Accuracy
from taskweave.tasks.checks import check_answers, check_class_numbers, check_one_each, no_loss, precise
from taskweave.tasks.pictures import caption, captioned
from taskweave.tasks.segmentation import most_frequent
from taskweave.tasks.task import Direction, Form, Named, Task, class_names, plain


class _Chosen(Task):
    """Outputs are logits (B, channels) of what may be chosen for an image."""

    reads: ClassVar[Form] = "numbers"
    dense: ClassVar[bool] = False

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        name = type(self).__name__
        check_answers(name, output, self.channels)
        check_one_each(name, output, target)
        classes = self.chosen(target)
        return F.cross_entropy(precise(output), classes) if len(target) else no_loss(output)

    @abstractmethod
    def chosen(self, target: Tensor) -> Tensor:
        """Return the index of the logit that each target (B,) stands for, int64.

        Raises:
            ValueError: A target stands for no logit.
        """

    @abstractmethod
    def words(self, value: Tensor) -> str:
        """One prediction or target as a caption."""

    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        """Probabilities (B, channels)."""
        check_answers(type(self).__name__, output, self.channels)
        return precise(output).softmax(1)

    def numbers(self, target: Any) -> Tensor:
        return plain(target).flatten()

    def picture(self, value: Tensor) -> Tensor:
        """The words in white on black."""
        return caption(self.words(value))

    def over(self, image: Tensor, value: Tensor) -> Tensor:
        """The image with the words at its top."""
        return captioned(image, self.words(value))


@final
class Classification(_Chosen):
    """Image classification: one class for every image.

    Outputs are logits (B, classes), targets class numbers (B,) from 0, predictions the same.

    An image whose class is not known has no label: a missing key in its sample, not a special number.
    The loss is cross-entropy, the mean over images.

    Args:
        labels: With the names of the classes; or the names alone, or how many.
    """

    counted: ClassVar[str] = "images"
    directions: ClassVar[Mapping[str, Direction]] = Accuracy.directions

    def __init__(self, labels: Named) -> None:
        self.classes = class_names("Classification", labels, least=2)

    @property
    def channels(self) -> int:
        return len(self.classes)

    def chosen(self, target: Tensor) -> Tensor:
        check_class_numbers("Classification", target, self.classes)
        return target.long()

    def harden(self, soft: Tensor) -> Tensor:
        """The most probable class of each image, int64 (B,)."""
        return soft.argmax(1)

    def metric(self) -> Accuracy:
        return Accuracy(self)

    def constants(self, numbers: Tensor | None) -> list[Tensor]:
        """The most frequent class."""
        return most_frequent(numbers, len(self.classes))

    def words(self, value: Tensor) -> str:
        if value.ndim != 0:
            raise ValueError(
                f"Classification draws one class number (), got {tuple(value.shape)}; draw one sample at a time"
            )
        check_class_numbers("Classification", value, self.classes)
        return self.classes[int(value)]


@final
class Age(_Chosen):
    """Age estimation: the age in years of the person in an image.

    Outputs are logits (B, ages) of the ages 0, 1, ..., ages - 1; targets and predictions years (B,).

    The loss is cross-entropy against the age in whole years (the nearest), the mean over images; the prediction is the
    expectation sum_k k p_k, so it has fractions, and even probabilities give (ages - 1) / 2: 49.5.
    Source: Gao et al., NDDR-CNN (CVPR 2019), section 5.2, after Rothe et al., DEX (ICCV workshops 2015).

    A target that is none of 0..ages - 1 is refused: such images are left out when the data are read.

    Args:
        ages: How many; 100 in NDDR.
    """

    directions: ClassVar[Mapping[str, Direction]] = AbsoluteError.directions

    def __init__(self, *, ages: Annotated[int, Ge(2)] = 100) -> None:
        if ages < 2:
            raise ValueError(f"Age needs at least two ages to tell apart, got ages={ages}")
        self.ages = ages

    @property
    def channels(self) -> int:
        return self.ages

    def chosen(self, target: Tensor) -> Tensor:
        outside = ~((target >= 0) & (target <= self.ages - 1))  # NaN is outside, too
        if outside.any():
            raise ValueError(
                f"age {target[outside][0].item():g} is outside 0..{self.ages - 1}; leave the label out when reading data"
            )
        return target.round().long()

    def harden(self, soft: Tensor) -> Tensor:
        """Years (B,): sum_k k p_k."""
        years = torch.arange(self.ages, dtype=soft.dtype, device=soft.device)
        return (soft * years).sum(-1)  # a product of matrices would be in half precision under autocast

    def metric(self) -> AbsoluteError:
        return AbsoluteError()

    def constants(self, numbers: Tensor | None) -> list[Tensor]:
        """The median age."""
        return [] if numbers is None else [numbers.double().quantile(0.5)]

    def words(self, value: Tensor) -> str:
        if value.ndim != 0:
            raise ValueError(f"Age draws one number of years (), got {tuple(value.shape)}; draw one sample at a time")
        return f"{float(value):.3g} years"
