"""Surface normals: a unit vector for every pixel, by regression or by classification into a few directions."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, final

import torch
from annotated_types import Ge, Le
from torch import Tensor

from taskweave.metrics.normals import NormalAngles, labelled_normals
from taskweave.tasks.checks import (
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
from taskweave.tasks.segmentation import CrossEntropy
from taskweave.tasks.task import Direction, Named, Task, as_labels, plain

Angles = Literal["true", "raw_uint8"]
"""What angles are measured between: normals, or their 8-bit codes as the NDDR-CNN papers do, where angles are about half as
large (see `NormalAngles`). Only the metric changes: the network still learns and predicts true normals, unlike in those
papers' code."""

# The derivative of v / |v| grows as 1 / |v|; below this length vectors are scaled instead, so that a head that starts at
# zero gets gradients of at most 1000 times the loss's and not infinite ones.
_SHORT = 1e-3
_IGNORE = 255
_PIXELS_PER_IMAGE = 500


class NormalsTask(Task, ABC):
    """Targets are unit vectors (B, 3, H, W) in the frame x right, y up, z to the camera; zero vectors are holes.

    Predictions are unit vectors (B, 3, H, W). A target counts where its length is at least .5.
    """

    directions: ClassVar[Mapping[str, Direction]] = NormalAngles.directions

    def __init__(self, *, manhattan: bool, loss_resolution: LossResolution, angles: Angles) -> None:
        if angles not in ("true", "raw_uint8"):
            raise ValueError(f'angles are "true" or "raw_uint8", got {angles!r}')
        self.angles = angles
        self.manhattan = manhattan
        self.loss_resolution = check_resolution(loss_resolution)

    def label_count(self, output: Tensor, target: Tensor) -> Tensor:
        """The pixels with a label. Exact for losses that are means over them."""
        return labelled_normals(target_of_loss(output, target, self.loss_resolution)).sum()

    def harden(self, soft: Tensor) -> Tensor:
        """Unit vectors again, of a mean of unit vectors; aligned if asked for."""
        normals = unit_vectors(soft)
        return align_to_manhattan(normals) if self.manhattan else normals

    def metric(self) -> NormalAngles:
        return NormalAngles(raw_uint8=self.angles == "raw_uint8")

    def numbers(self, target: Any) -> Tensor:
        return plain(target).flatten(1).T

    def constants(self, numbers: Tensor | None) -> list[Tensor]:
        """The mean direction."""
        known = numbers if numbers is None else numbers[numbers.norm(dim=1) >= 0.5]
        return [] if known is None or not len(known) else [unit_vectors(known.mean(0), axis=0)]

    def picture(self, value: Tensor) -> Tensor:
        """Normals (3, H, W) as colours (n + 1) * 127.5, holes in black."""
        if value.ndim != 3 or len(value) != 3:
            raise ValueError(f"normals are drawn from (3, H, W), got {tuple(value.shape)}; draw one sample at a time")
        colours = ((precise(value).nan_to_num() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return colours * labelled_normals(value[None])


class Normals(NormalsTask):
    """Surface normals by regression.

    Outputs are (B, 3, h, w) of any length, normalised for loss and prediction.

    Args:
        loss: "cosine", mean(1 - p . n), or "l2", mean |p - n|^2, which is twice the same.
        manhattan: Align predictions with the three orthogonal directions of the scene (see `align_to_manhattan`).
        loss_resolution: Where the loss is taken, see `LossResolution`.
        angles: What the metric measures, see `Angles`.
    """

    regression: ClassVar[bool] = True

    def __init__(
        self,
        *,
        loss: Literal["cosine", "l2"] = "cosine",
        manhattan: bool = False,
        loss_resolution: LossResolution = "full",
        angles: Angles = "true",
    ) -> None:
        super().__init__(manhattan=manhattan, loss_resolution=loss_resolution, angles=angles)
        if loss not in ("cosine", "l2"):
            raise ValueError(f'the loss of Normals is "cosine" or "l2", got {loss!r}; NormalsByCodebook classifies')
        self._loss: PairLoss = cosine_loss if loss == "cosine" else l2_loss

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
        return self.pixel_loss(pairs[0], pairs[1])

    def pixel_loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss between unit vectors (N, 3) of labelled pixels, N >= 1. For a subclass with a loss of its own."""
        return self._loss(prediction, target)

    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        """Unit vectors (B, 3, H, W) of the output enlarged bilinearly."""
        check_output("Normals", output, 3)
        return unit_vectors(resized(output, size))


@final
class NormalsByCodebook(NormalsTask):
    """Surface normals by classification over a codebook of directions.

    Outputs are logits (B, K, h, w) over K directions c_k; the prediction is sum_k p_k c_k, normalised.

    The target class of a pixel is its nearest direction, argmax_k n . c_k; the loss is cross-entropy, the mean over
    labelled pixels. Predictions are between the directions where the network is between them, so they are not limited to K.
    Misra et al. (2016) use K = 20; Ladicky et al. (2014) and Wang et al. (2015), whose scheme that is, take weights over
    the nearest few as targets instead.

    Args:
        labels: With targets that the directions are fitted on (see `fit_codebook`); without, they are placeholders.
        directions: How many, K.
        codebook: (K, 3) directions of any length to take instead, as `NormalsByCodebook.codebook.tolist()` stores them.
        manhattan: Align predictions with the three orthogonal directions of the scene (see `align_to_manhattan`).
        loss_resolution: Where the loss is taken, see `LossResolution`.
        angles: What the metric measures, see `Angles`.
    """

    def __init__(
        self,
        labels: Named = (),
        *,
        directions: Annotated[int, Ge(2), Le(254)] = 20,
        codebook: tuple[tuple[float, float, float], ...] = (),
        manhattan: bool = False,
        loss_resolution: LossResolution = "full",
        angles: Angles = "true",
    ) -> None:
        super().__init__(manhattan=manhattan, loss_resolution=loss_resolution, angles=angles)
        targets = as_labels(labels).targets
        if len(codebook):
            book = torch.as_tensor(codebook, dtype=torch.float32).cpu()
        elif targets is not None:
            book = fit_codebook(_some_normals(targets()), directions)
        else:
            book = torch.eye(3).repeat(directions // 3 + 1, 1)[:directions]
        self.codebook = unit_vectors(_checked(book))
        self._loss = CrossEntropy(len(book), ignore=_IGNORE)

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


def fit_codebook(normals: Tensor, k: int = 20, *, seed: int = 0) -> Tensor:
    """Find `k` directions by k-means on unit vectors (N, 3); returns their normalised means, float32 (k, 3).

    Holes (vectors shorter than .5) are left out. A hundred thousand pixels from all over the training set are plenty.
    The same normals and seed give the same directions.

    Raises:
        ImportError: scikit-learn is missing (``pip install taskweave[data]``).
        ValueError: `normals` is not (N, 3), or has fewer than k known normals.
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


def _checked(codebook: Tensor) -> Tensor:
    if codebook.ndim != 2 or codebook.shape[1] != 3 or not 2 <= len(codebook) < _IGNORE:
        raise ValueError(f"codebook must be (K, 3) with 2 <= K < {_IGNORE}, got {tuple(codebook.shape)}")
    if not (codebook.norm(dim=1) > 1e-3).all():  # NaN fails too
        raise ValueError(f"codebook holds a zero or undefined direction: {codebook.tolist()}; fit it on labelled normals")
    return codebook


def _some_normals(targets: Iterator[Any]) -> Tensor:
    """(N, 3): evenly spaced labelled pixels of every image, enough for k-means and no more."""
    found: list[Tensor] = []
    for target in targets:
        flat = plain(target).flatten(1).T
        flat = flat[flat.norm(dim=1) >= 0.5]
        found.append(flat[:: max(1, len(flat) // _PIXELS_PER_IMAGE)])
    return torch.cat(found)
