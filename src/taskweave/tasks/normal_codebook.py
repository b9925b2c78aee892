"""Surface normals by classification into a few directions, as in the cross-stitch paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from taskweave.metrics.angles import labelled_normals
from taskweave.tasks.dense import LossResolution, PairLoss, check_output, check_target, matched, no_loss, precise, resized
from taskweave.tasks.normals import NormalsTask, unit_vectors
from taskweave.tasks.segmentation_losses import CrossEntropy

_IGNORE = 255


@final
class NormalsByCodebook(NormalsTask):
    """Outputs are logits (B, K, h, w) over K directions c_k; the prediction is sum_k p_k c_k, normalised.

    The target class of a pixel is its nearest direction, argmax_k n . c_k. Predictions are between the directions where
    the network is between them, so they are not limited to K. Misra et al. (2016) use K = 20; Ladicky et al. (2014) and
    Wang et al. (2015), whose scheme that is, take weights over the nearest few as targets instead.

    codebook: (K, 3), from `fit_codebook`; normalised here. `codebook.tolist()` is what to store as JSON.
    loss: ``loss(logits (B, K, h, w) float32, classes (B, h, w) int64) -> scalar`` with 255 for holes; default
        cross-entropy, the mean over labelled pixels.
    Other options: see `Normals`.
    """

    def __init__(
        self,
        codebook: Tensor | Sequence[Sequence[float]],
        *,
        loss: PairLoss | None = None,
        raw_uint8: bool = False,
        manhattan: bool = False,
        loss_resolution: LossResolution = "eighth",
    ) -> None:
        super().__init__(raw_uint8=raw_uint8, manhattan=manhattan, loss_resolution=loss_resolution)
        directions = torch.as_tensor(codebook, dtype=torch.float32).cpu()
        if directions.ndim != 2 or directions.shape[1] != 3 or not 2 <= len(directions) < _IGNORE:
            raise ValueError(f"codebook must be (K, 3) with 2 <= K < {_IGNORE}, got {tuple(directions.shape)}")
        if not (directions.norm(dim=1) > 1e-3).all():  # NaN fails too
            raise ValueError(
                f"codebook holds a zero or undefined direction: {directions.tolist()}; fit it on labelled normals"
            )
        self.codebook = unit_vectors(directions)
        self._loss: PairLoss = loss if loss is not None else CrossEntropy(len(directions), ignore=_IGNORE)

    @property
    def channels(self) -> int:
        return len(self.codebook)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        check_output("NormalsByCodebook", output, self.channels)
        check_target("NormalsByCodebook", output, target, 3)
        logits, normals = matched(output, target, self.loss_resolution)
        classes = self.nearest(normals)
        return self._loss(logits, classes) if (classes != _IGNORE).any() else no_loss(output)

    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        """Unit vectors (B, 3, H, W): sum_k softmax(logits)_k c_k normalised, of logits enlarged bilinearly."""
        check_output("NormalsByCodebook", output, self.channels)
        shares = resized(output, size).softmax(1)
        with torch.autocast(shares.device.type, enabled=False):  # bfloat16 products would turn normals by .2 degrees
            return unit_vectors(torch.einsum("bkhw,kc->bchw", shares, self.codebook.to(shares)))

    def nearest(self, normals: Tensor) -> Tensor:
        """(B, 3, H, W) -> the number of the nearest direction (B, H, W), int64; 255 for holes."""
        normals = precise(normals)
        with torch.autocast(normals.device.type, enabled=False):
            closeness = torch.einsum("bchw,kc->bkhw", normals, self.codebook.to(normals))
        return closeness.argmax(1).masked_fill(~labelled_normals(normals), _IGNORE)


def fit_codebook(normals: Tensor, k: int = 20, *, seed: int = 0) -> Tensor:
    """The `k` directions (k, 3) that k-means finds in unit vectors (N, 3), each mean normalised; float32.

    Holes (vectors shorter than .5) are left out. A hundred thousand pixels from all over the training set are plenty.
    The same normals and seed give the same directions.
    Raises ImportError without scikit-learn (``pip install taskweave[data]``), ValueError for fewer than k normals.
    """
    try:
        from sklearn.cluster import KMeans
    except ImportError as error:
        raise ImportError("fit_codebook needs scikit-learn: pip install taskweave[data]") from error
    if normals.ndim != 2 or normals.shape[1] != 3:
        raise ValueError(
            f"fit_codebook expects normals (N, 3), got {tuple(normals.shape)}; move the channels last and flatten"
        )
    known = unit_vectors(normals[normals.norm(dim=1) >= 0.5].cpu())
    if len(known) < k:
        raise ValueError(f"fit_codebook needs at least {k} labelled normals for {k} directions, got {len(known)}")
    means = KMeans(n_clusters=k, n_init=3, random_state=seed).fit(known.double().numpy()).cluster_centers_
    return unit_vectors(torch.from_numpy(means)).float()
