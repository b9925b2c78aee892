"""Age: a number of years for the face in an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, final

import torch
import torch.nn.functional as F
from annotated_types import Ge
from torch import Tensor

from taskweave.metrics.absolute_error import AbsoluteError
from taskweave.tasks.checks import check_answers, check_one_each
from taskweave.tasks.dense import no_loss, precise
from taskweave.tasks.pictures import caption, captioned
from taskweave.tasks.task import Direction, Form, Task, plain


@final
class Age(Task):
    """Outputs are logits (B, ages) of the ages 0, 1, ..., ages - 1; targets and predictions years (B,).

    The loss is cross-entropy against the age in whole years (the nearest), the mean over images; the prediction is the
    expectation sum_k k p_k, so it has fractions, and even probabilities give (ages - 1) / 2: 49.5.
    Source: Gao et al., NDDR-CNN (CVPR 2019), section 5.2, after Rothe et al., DEX (ICCV workshops 2015).

    A target that is none of 0..ages - 1 is refused: such images are left out when the data are read.

    Args:
        ages: How many; 100 in NDDR.
    """

    reads: ClassVar[Form] = "numbers"
    dense: ClassVar[bool] = False
    directions: ClassVar[Mapping[str, Direction]] = AbsoluteError.directions

    def __init__(self, *, ages: Annotated[int, Ge(2)] = 100) -> None:
        if ages < 2:
            raise ValueError(f"Age needs at least two ages to tell apart, got ages={ages}")
        self.ages = ages

    @property
    def channels(self) -> int:
        return self.ages

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        check_answers("Age", output, self.ages)
        check_one_each("Age", output, target)
        self._check_years(target)
        return F.cross_entropy(precise(output), target.round().long()) if len(target) else no_loss(output)

    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        """Probabilities (B, ages)."""
        check_answers("Age", output, self.ages)
        return precise(output).softmax(1)

    def harden(self, soft: Tensor) -> Tensor:
        """Years (B,): sum_k k p_k."""
        years = torch.arange(self.ages, dtype=soft.dtype, device=soft.device)
        return (soft * years).sum(-1)  # a product of matrices would be in half precision under autocast

    def metric(self) -> AbsoluteError:
        return AbsoluteError()

    def numbers(self, target: Any) -> Tensor:
        return plain(target).flatten()

    def constants(self, numbers: Tensor | None) -> list[Tensor]:
        """The median age."""
        return [] if numbers is None else [numbers.double().quantile(0.5)]

    def picture(self, value: Tensor) -> Tensor:
        """The years in white on black."""
        return caption(_years(value))

    def over(self, image: Tensor, value: Tensor) -> Tensor:
        """The image with the years at its top."""
        return captioned(image, _years(value))

    def _check_years(self, target: Tensor) -> None:
        outside = ~((target >= 0) & (target <= self.ages - 1))  # NaN is outside, too
        if outside.any():
            raise ValueError(
                f"age {target[outside][0].item():g} is outside 0..{self.ages - 1}; leave the label out when reading data"
            )


def _years(value: Tensor) -> str:
    if value.ndim != 0:
        raise ValueError(f"Age draws one number of years (), got {tuple(value.shape)}; draw one sample at a time")
    return f"{float(value):.3g} years"
