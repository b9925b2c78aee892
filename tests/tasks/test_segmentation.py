"""Segmentation: its losses by hand, its resolutions, weights, pictures and messages."""

import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tasks.ensembles import mean_prediction
from torch import Tensor

from taskweave.tasks import CrossEntropy, Labels, Segmentation, dice_loss, focal_loss, median_frequency


class Unfocused(Segmentation):
    """With a loss of its own: the focal loss without focusing."""

    def pixel_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return focal_loss(gamma=0.0)(logits, labels)


def slow_cross_entropy(logits: Tensor, target: Tensor, weights: list[float], ignore: int) -> float:
    total = mass = 0.0
    for pixel, label in zip(
        logits.movedim(1, -1).reshape(-1, logits.shape[1]).double().numpy(), target.flatten().tolist(), strict=True
    ):
        if label != ignore:
            total += weights[label] * (np.log(np.exp(pixel).sum()) - pixel[label])
            mass += weights[label]
    return total / mass


@pytest.mark.parametrize("weights", [None, [0.5, 2.0, 1.0]])
def test_the_default_loss(weights: list[float] | None) -> None:
    logits, target = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5))
    target[torch.rand(2, 4, 5) < 0.3] = 255
    task = Segmentation(3, class_weights=weights or "none")
    assert float(task.loss(logits, target)) == pytest.approx(
        slow_cross_entropy(logits, target, weights or [1, 1, 1], 255), rel=1e-5
    )


def test_only_classes_of_weight_zero_give_no_loss() -> None:
    logits = torch.randn(1, 2, 2, 2, requires_grad=True)
    loss = Segmentation(2, class_weights=[1.0, 0.0]).loss(logits, torch.ones(1, 2, 2, dtype=torch.int64))
    loss.backward()
    assert loss == 0 and logits.grad is not None and not logits.grad.any()


def test_resolutions() -> None:
    """At an eighth, label (8 i, 8 j) meets logit (i, j); in full, logits are enlarged with align_corners=False."""
    logits, target = torch.randn(1, 3, 2, 3), torch.randint(0, 3, (1, 16, 24))
    coarse = slow_cross_entropy(logits, target[:, ::8, ::8], [1, 1, 1], 255)
    assert float(Segmentation(3, loss_resolution="eighth").loss(logits, target)) == pytest.approx(coarse, rel=1e-5)
    # By hand: the source of output pixel i is (i + .5) / 8 - .5, clipped at the border.
    rows, columns = (((np.arange(n * 8) + 0.5) / 8 - 0.5).clip(0, n - 1) for n in (2, 3))
    maps = logits[0].double().numpy()
    fine = np.empty((3, 16, 24))
    for i, y in enumerate(rows):
        for j, x in enumerate(columns):
            (y0, x0), (y1, x1) = (int(y), int(x)), (min(int(y) + 1, 1), min(int(x) + 1, 2))
            top = maps[:, y0, x0] * (1 - x % 1) + maps[:, y0, x1] * (x % 1)
            bottom = maps[:, y1, x0] * (1 - x % 1) + maps[:, y1, x1] * (x % 1)
            fine[:, i, j] = top * (1 - y % 1) + bottom * (y % 1)
    full = slow_cross_entropy(torch.from_numpy(fine)[None], target, [1, 1, 1], 255)
    assert float(Segmentation(3).loss(logits, target)) == pytest.approx(full, rel=1e-5)
    assert torch.equal(Segmentation(3).decode(logits, (16, 24))[0], torch.from_numpy(fine.argmax(0)))


def test_labels_are_sampled_at_odd_sizes() -> None:
    """321 -> 41 as in DeepLab: row floor(i 321 / 41)."""
    target = torch.arange(321)[None, :, None].expand(1, 321, 321) % 7
    logits = torch.randn(1, 7, 41, 41)
    picked = torch.tensor([i * 321 // 41 for i in range(41)]) % 7
    expected = slow_cross_entropy(logits, picked[None, :, None].expand(1, 41, 41), [1] * 7, 255)
    assert float(Segmentation(7, loss_resolution="eighth").loss(logits, target)) == pytest.approx(expected, rel=1e-5)


def test_soft_predictions_are_probabilities_and_ensembles_average_them() -> None:
    task = Segmentation(3)
    # Two members sure of class 0 by a little, one sure of class 1 by a lot: the mean of probabilities decides for 1.
    unsure, sure = torch.tensor([0.2, 0.0, -9]).view(1, 3, 1, 1), torch.tensor([0.0, 8.0, -9]).view(1, 3, 1, 1)
    assert torch.allclose(task.soft(unsure, (2, 2)).sum(1), torch.ones(1, 2, 2))
    assert mean_prediction(task, [unsure, unsure, sure], (2, 2)).eq(1).all()
    assert mean_prediction(task, [unsure, unsure, sure], (2, 2)).dtype == torch.int64


def test_library_losses() -> None:
    logits, target = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4))
    target[0, 0] = 255
    task = Unfocused(3)
    # Without focusing the focal loss is the mean over classes of binary cross-entropies, one class against the rest.
    valid = target != 255
    expected = sum(
        F.binary_cross_entropy_with_logits(logits[:, c][valid], (target[valid] == c).float()) for c in range(3)
    ) / 3  # fmt: skip
    assert float(task.loss(logits, target)) == pytest.approx(float(expected), rel=1e-5)
    dice = Segmentation(3, loss="dice").loss(logits, target)
    p, t = logits.softmax(1).movedim(1, -1)[valid], F.one_hot(target[valid], 3)
    assert float(dice) == pytest.approx(float((1 - 2 * (p * t).sum(0) / (p.sum(0) + t.sum(0))).mean()), rel=1e-5)
    for loss in ("focal", "dice"):
        assert Segmentation(3, loss=loss).loss(logits, torch.full_like(target, 255)) == 0
        leaf = logits.clone().requires_grad_()
        Segmentation(3, loss=loss).loss(leaf, target).backward()
        assert leaf.grad is not None and leaf.grad.isfinite().all()
        assert leaf.grad.any() and not leaf.grad[0, :, 0].any()


def test_library_losses_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch.losses", None)
    for make in (focal_loss, dice_loss):
        with pytest.raises(ImportError, match=r"pip install taskweave\[losses\]"):
            make()


def test_median_frequency() -> None:
    # Frequencies .5, .3, .2; median .3.
    assert median_frequency(torch.tensor([50, 30, 20])).tolist() == pytest.approx([0.6, 1.0, 1.5])
    counts = torch.tensor([[30, 10, 0], [0, 10, 10]])
    # Class 0 is in image 0 only, 30 / 40; class 1 in both, 20 / 60; class 2 in image 1 only, 10 / 20: the median.
    assert median_frequency(counts).tolist() == pytest.approx([0.5 / (30 / 40), 0.5 / (20 / 60), 1.0])
    assert median_frequency(torch.tensor([6, 0, 2])).tolist() == pytest.approx([0.5 / 0.75, 0.0, 0.5 / 0.25])
    for bad in (torch.tensor([-1, 2]), torch.zeros(3), torch.tensor(4)):
        with pytest.raises(ValueError, match="median_frequency expects"):
            median_frequency(bad)


def test_weights_are_counted_on_the_targets() -> None:
    targets = [torch.tensor([[0, 0, 1, 255]]), torch.tensor([[1, 1, 2, 2]])]
    task = Segmentation(Labels(("a", "b", "c"), targets=lambda: iter(targets)), class_weights="median_frequency")
    given = Segmentation(3, class_weights=median_frequency(torch.tensor([[2, 1, 0], [0, 2, 2]])).tolist())
    logits, labels = torch.randn(1, 3, 4, 4), torch.randint(0, 3, (1, 4, 4))
    assert torch.equal(task.loss(logits, labels), given.loss(logits, labels))
    assert not torch.equal(task.loss(logits, labels), Segmentation(3).loss(logits, labels))
    shapes = Segmentation(("a", "b", "c"), class_weights="median_frequency")  # without targets only shapes matter
    assert torch.equal(shapes.loss(logits, labels), Segmentation(3).loss(logits, labels))
    with pytest.raises(ValueError, match="none of its images has a segmentation"):
        Segmentation(Labels(("a", "b"), targets=lambda: iter([])), class_weights="median_frequency")


def test_the_metric_knows_the_task() -> None:
    metric = Segmentation(3, ignore=-1, miou="per_image").metric()
    assert (metric.classes, metric.ignore, metric.of_images) == (3, -1, True)


def test_pictures_are_fixed_colours() -> None:
    few, many = Segmentation(5), Segmentation(40)
    value = torch.tensor([[0, 1, 2], [3, 4, 255]])
    assert torch.equal(few.picture(value), many.picture(value))
    assert not few.picture(value)[:, 1, 2].any()
    colours = many.picture(torch.arange(40)[None])[:, 0].T
    assert len({tuple(colour.tolist()) for colour in colours}) == 40
    assert colours.any(1).all()


def test_names_of_classes() -> None:
    assert Segmentation(["wall", "floor"]).classes == ("wall", "floor")
    assert Segmentation(2).classes == ("class 0", "class 1")
    assert Segmentation(13).channels == 13


def test_bad_input() -> None:
    task = Segmentation(["wall", "floor", "bed"])
    logits = torch.zeros(1, 3, 2, 2)
    with pytest.raises(ValueError, match=r"label 40 is outside the 3 classes \(0\.\.2: wall, floor, bed; ignored: 255\)"):
        task.loss(logits, torch.tensor([[[0, 40], [255, 1]]]))
    with pytest.raises(ValueError, match="label -1 is outside"):
        task.loss(logits, torch.full((1, 2, 2), -1))
    with pytest.raises(ValueError, match=r"label 7 is outside"):  # also between the sampled pixels
        task.loss(logits, torch.tensor([0, 7, 0, 0])[None, None].expand(1, 4, 4))
    with pytest.raises(ValueError, match=r"outside the 40 classes \(0\.\.39: class 0, class 1, \.\.\., class 39; "):
        Segmentation(40).loss(torch.zeros(1, 40, 2, 2), torch.full((1, 2, 2), 41))
    with pytest.raises(ValueError, match="integer class numbers as target, got torch"):
        task.loss(logits, torch.zeros(1, 2, 2))
    with pytest.raises(ValueError, match=r"output \(B, 3, h, w\), got \(1, 4, 2, 2\); build the network with 3 channels"):
        task.loss(torch.zeros(1, 4, 2, 2), torch.zeros(1, 2, 2, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"class_weights must be 3 finite numbers >= 0.*got \(2,\)"):
        Segmentation(3, class_weights=[1.0, 2.0])
    with pytest.raises(ValueError, match="class_weights must be"):
        CrossEntropy(2, weights=[1.0, float("nan")])
    with pytest.raises(ValueError, match="class_weights are those of cross-entropy, got loss='focal'"):
        Segmentation(3, class_weights=[1.0, 2.0, 3.0], loss="focal")
    for other in ({"loss": "dice"}, {"class_weights": "median_frequency"}):
        with pytest.raises(ValueError, match="summed is of cross-entropy without class weights"):
            Segmentation(3, summed=True, **other)
    with pytest.raises(ValueError, match=r"target_class='sofa' is none of the classes 0\.\.2: wall, floor, bed"):
        Segmentation(["wall", "floor", "bed"], target_class="sofa")
    with pytest.raises(ValueError, match="ignore=2 is one of the 3 classes"):
        Segmentation(3, ignore=2)
    with pytest.raises(ValueError, match="at least two classes"):
        Segmentation("wall")
    with pytest.raises(ValueError, match='loss_resolution is "eighth" or "full", got \'half\''):
        Segmentation(3, loss_resolution="half")
    with pytest.raises(ValueError, match=r"draws class numbers \(H, W\), got \(1, 2, 2\)"):
        task.picture(torch.zeros(1, 2, 2))
