"""Surface normals: a unit vector for every pixel."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, final

import torch
from torch import Tensor

from taskweave.metrics.angles import labelled_normals
from taskweave.tasks.dense import (
    LossResolution,
    PairLoss,
    check_output,
    check_resolution,
    check_target,
    matched,
    no_loss,
    precise,
    resized,
    target_of_loss,
)
from taskweave.tasks.manhattan import align_to_manhattan
from taskweave.tasks.task import Direction, Task

if TYPE_CHECKING:
    from torchmetrics import Metric

# The derivative of v / |v| grows as 1 / |v|; below this length vectors are scaled instead, so that a head that starts at
# zero gets gradients of at most 1000 times the loss's and not infinite ones.
_SHORT = 1e-3


class NormalsTask(Task, ABC):
    """Targets are unit vectors (B, 3, H, W) in the frame x right, y up, z to the camera; zero vectors are holes.

    Predictions are unit vectors (B, 3, H, W). A target counts where its length is at least .5.

    raw_uint8: measure angles in the space of 8-bit codes, as the NDDR-CNN papers do (see `NormalsMetric`). Only the
        metric changes: the network still learns and predicts true normals, unlike in those papers' code.
    manhattan: align predictions with the three orthogonal directions of the scene (see `align_to_manhattan`).
    """

    directions: ClassVar[Mapping[str, Direction]] = {
        "mean": "lower",
        "median": "lower",
        "within_11.25": "higher",
        "within_22.5": "higher",
        "within_30": "higher",
    }

    def __init__(self, *, raw_uint8: bool, manhattan: bool, loss_resolution: LossResolution) -> None:
        self.raw_uint8 = raw_uint8
        self.manhattan = manhattan
        self.loss_resolution = check_resolution(loss_resolution)

    def label_count(self, output: Tensor, target: Tensor) -> Tensor:
        """The pixels with a label. Exact for losses that are means over them."""
        return labelled_normals(target_of_loss(output, target, self.loss_resolution)).sum()

    def harden(self, soft: Tensor) -> Tensor:
        """Unit vectors again, of a mean of unit vectors; aligned if asked for."""
        normals = unit_vectors(soft)
        return align_to_manhattan(normals) if self.manhattan else normals

    def metric(self) -> Metric:
        from taskweave.metrics.normals import NormalsMetric

        return NormalsMetric(raw_uint8=self.raw_uint8)

    def picture(self, value: Tensor) -> Tensor:
        """Normals (3, H, W) as colours (n + 1) * 127.5, holes in black."""
        if value.ndim != 3 or len(value) != 3:
            raise ValueError(f"normals are drawn from (3, H, W), got {tuple(value.shape)}; draw one sample at a time")
        colours = ((precise(value).nan_to_num() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return colours * labelled_normals(value[None])


@final
class Normals(NormalsTask):
    """Normals by regression: outputs (B, 3, h, w) of any length, normalised for loss and prediction.

    loss: "cosine", mean(1 - p . n); "l2", mean |p - n|^2, which is twice the same; or
        ``loss(prediction (N, 3) float32, target (N, 3)) -> scalar`` between unit vectors of the labelled pixels, never
        called without one.
    loss_resolution: "eighth" (the output's own size, normals sampled) or "full" (the label's size, output bilinear).
    """

    def __init__(
        self,
        *,
        loss: Literal["cosine", "l2"] | PairLoss = "cosine",
        raw_uint8: bool = False,
        manhattan: bool = False,
        loss_resolution: LossResolution = "eighth",
    ) -> None:
        super().__init__(raw_uint8=raw_uint8, manhattan=manhattan, loss_resolution=loss_resolution)
        self._loss = _chosen(loss)

    @property
    def channels(self) -> int:
        return 3

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        check_output("Normals", output, 3)
        check_target("Normals", output, target, 3)
        prediction, truth = matched(output, target, self.loss_resolution)
        valid = labelled_normals(truth)
        if not valid.any():
            return no_loss(output)
        pairs = [unit_vectors(value.movedim(1, -1)[valid].to(prediction), axis=1) for value in (prediction, truth)]
        return self._loss(pairs[0], pairs[1])

    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        """Unit vectors (B, 3, H, W) of the output enlarged bilinearly."""
        check_output("Normals", output, 3)
        return unit_vectors(resized(output, size))


def cosine_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """mean(1 - p . n) over unit vectors (N, 3)."""
    return (1.0 - (prediction * target).sum(1)).mean()


def l2_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """mean |p - n|^2 over unit vectors (N, 3); equals 2 mean(1 - p . n)."""
    return (prediction - target).square().sum(1).mean()


def unit_vectors(vectors: Tensor, *, axis: int = 1) -> Tensor:
    """v / |v| along `axis`; v / .001 for those shorter than .001, so the zero vector stays zero with a finite gradient."""
    vectors = precise(vectors)
    length: Tensor = vectors.norm(dim=axis, keepdim=True)
    return vectors / length.clamp(min=_SHORT)


def _chosen(loss: Literal["cosine", "l2"] | PairLoss) -> PairLoss:
    if loss == "cosine":
        return cosine_loss
    if loss == "l2":
        return l2_loss
    if isinstance(loss, str):
        raise ValueError(f'the loss of Normals is "cosine", "l2" or a function, got {loss!r}')
    return loss
