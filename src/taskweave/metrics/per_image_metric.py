"""Metrics that remember what each image contributed."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from taskweave.metrics.per_image import PerImage


class PerImageMetric(Metric):
    """A metric of images that gives the sufficient statistics of each, in the order in which it saw them."""

    @abstractmethod
    def per_image(self) -> PerImage:
        """What each image contributed; those of all processes, in their order, where several take part."""

    def class_scores(self) -> dict[str, Tensor]:
        """{metric: its values by class, (classes,), NaN where undefined}, of those numbers that are means over classes.

        {} for a metric without such. In the metric's own unit.
        """
        return {}


def rows_of(values: list[Tensor] | Tensor, width: int) -> NDArray[Any]:
    """(images, width) of a state of flat vectors, as it is before or while processes are synchronised."""
    chunks = values if isinstance(values, list) else [values]
    joined = torch.cat([chunk.cpu() for chunk in chunks]) if chunks else torch.empty(0)
    return joined.view(-1, width).numpy()
