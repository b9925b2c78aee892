"""Classification: loss and accuracies by hand, labels that are none, captions, label counts of parts."""

import pytest
import torch

from taskweave.metrics import Accuracy
from taskweave.tasks import Classification


def test_the_loss_is_cross_entropy_over_images() -> None:
    logits = torch.randn(4, 3)
    p = logits.double().exp() / logits.double().exp().sum(1, keepdim=True)
    expected = float(-sum(p[i, c].log() for i, c in enumerate((0, 2, 2, 1))) / 4)
    for kind in (torch.int64, torch.int32, torch.uint8):
        found = Classification(3).loss(logits, torch.tensor([0, 2, 2, 1], dtype=kind))
        assert float(found) == pytest.approx(expected, rel=1e-5)


def test_accuracies_by_hand() -> None:
    """Four of six are right; three of four of class 0, one of two of class 1; class 2 is nowhere."""
    metric = Accuracy(3)
    metric.update(torch.tensor([0, 0, 0, 1]), torch.tensor([0, 0, 0, 0]))
    metric.update(torch.tensor([1, 2]), torch.tensor([1, 1]))
    found = {name: float(value) for name, value in metric.compute().items()}
    assert found == pytest.approx({"accuracy": 100 * 4 / 6, "class accuracy": (75 + 50) / 2})
    assert metric.per_class().tolist()[:2] == [75.0, 50.0] and metric.per_class()[2].isnan()


def test_guessing_the_frequent_class() -> None:
    metric = Accuracy(2)
    metric.update(torch.zeros(10, dtype=torch.int64), torch.tensor([0] * 9 + [1]))
    assert {name: float(value) for name, value in metric.compute().items()} == {"accuracy": 90.0, "class accuracy": 50.0}


def test_refusals() -> None:
    task = Classification(["female", "male"])
    with pytest.raises(ValueError, match=r"label 2 is outside the 2 classes \(0\.\.1: female, male\); map it when reading"):
        task.loss(torch.zeros(2, 2), torch.tensor([1, 2]))
    with pytest.raises(ValueError, match=r"integer class numbers as target, got .*float32"):
        task.loss(torch.zeros(1, 2), torch.tensor([torch.nan]))
    with pytest.raises(ValueError, match=r"expects an output \(B, 2\).*got \(1, 2, 4, 4\); end the network in"):
        task.loss(torch.zeros(1, 2, 4, 4), torch.tensor([1]))
    with pytest.raises(ValueError, match=r"label 7 is outside the 3 classes \(0\.\.2\)"):
        Accuracy(3).update(torch.tensor([1]), torch.tensor([7]))
    with pytest.raises(ValueError, match="at least two classes, or their number, got 1"):
        Classification(1)


def test_captions() -> None:
    task, image = Classification(["cat", "a dog of a very long name"]), torch.full((3, 64, 48), 200, dtype=torch.uint8)
    cat, dog = (task.over(image, torch.tensor(number)) for number in (0, 1))
    for drawn in (cat, dog):
        assert (drawn[:, 20:] == 200).all() and drawn.amin() == 0 and drawn[:, :12].amax() > 200
    assert not torch.equal(cat, dog)
    assert not torch.equal(task.picture(torch.tensor(0)), task.picture(torch.tensor(1)))
    with pytest.raises(ValueError, match=r"one class number \(\), got \(1,\); draw one"):
        task.picture(torch.tensor([0]))
