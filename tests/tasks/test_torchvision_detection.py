"""torchvision's detectors as tasks: their own losses and detections, unchanged."""

import pytest
import torch
from tasks.ensembles import mean_prediction
from torch import Tensor, nn
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator

from taskweave.images import IMAGENET, PLAIN
from taskweave.tasks import Labels, TorchvisionDetection

IMAGES = torch.rand(2, 3, 40, 60)


def targets() -> list[dict[str, Tensor]]:
    objects = {
        "boxes": torch.tensor([[5.0, 5, 30, 35], [20.0, 0, 50, 40]]),
        "labels": torch.tensor([1, 2]),
        "ignore": torch.tensor([False, True]),
    }
    return [objects, {name: value[:0] for name, value in objects.items()}]


def tiny() -> RetinaNet:
    body = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4, padding=1), nn.ReLU())
    body.out_channels = 8
    anchors = AnchorGenerator(sizes=((16, 32),), aspect_ratios=((1.0,),))
    return RetinaNet(body, 3, anchor_generator=anchors, min_size=40, max_size=60, score_thresh=0.0, detections_per_img=30)


def test_training_and_evaluation_through_the_network_itself() -> None:
    task, net = TorchvisionDetection(Labels(("a", "b"), statistics=PLAIN)), tiny()
    images, given = task.network_input(IMAGES, targets(), None)
    assert [len(target["labels"]) for target in given] == [1, 0] and "ignore" not in given[0]
    losses = net(images, given)
    loss = task.loss(losses, targets())
    assert loss.item() == pytest.approx(sum(value.item() for value in losses.values()))
    loss.backward()
    assert all(p.grad is not None for p in net.parameters())
    net.eval()
    nn.init.normal_(net.head.classification_head.cls_logits.weight, generator=torch.Generator().manual_seed(0))
    plain = net(list(IMAGES))
    found = task.decode(net(task.network_input(IMAGES, None, None)), (40, 60))
    for mine, theirs in zip(found, plain, strict=True):
        real = theirs["labels"] > 0  # an untrained RetinaNet detects background
        assert 0 < len(mine["labels"]) == real.sum() < len(real)
        assert all(torch.equal(mine[name].as_subclass(Tensor), theirs[name][real]) for name in theirs)
        assert tuple(task.picture(mine).shape) == (3, 40, 60)
    metric = task.metric()
    metric.update(found, targets())
    assert 0 <= float(metric.compute()["mAP"]) <= 100


def test_images_can_be_given_back_their_range() -> None:
    task = TorchvisionDetection(Labels(("a",), statistics=IMAGENET))
    images = task.network_input(IMAGENET.normalise(IMAGES), None, None)
    assert torch.allclose(torch.stack(images), IMAGES, atol=1e-6)


def test_ensembles_are_refused() -> None:
    detections = [
        {"boxes": torch.tensor([[0.0, 0, 5, 5]]), "scores": torch.ones(1), "labels": torch.ones(1, dtype=torch.int64)}
    ]
    assert mean_prediction(TorchvisionDetection(1), [detections], (40, 60))[0]["boxes"].tolist() == [[0, 0, 5, 5]]
    with pytest.raises(ValueError, match="boxes after suppression, which an ensemble cannot average; make the ensemble of"):
        mean_prediction(TorchvisionDetection(1), [detections, detections], (40, 60))


def test_bad_input() -> None:
    task = TorchvisionDetection(2)
    with pytest.raises(ValueError, match="network's losses by name, got list; put the network into training mode"):
        task.loss([{}], targets())
    with pytest.raises(ValueError, match="one mapping per image as target, 2 here, got 1 targets"):
        task.network_input(IMAGES, targets()[:1], None)
    with pytest.raises(ValueError, match=r"label 5 is outside 1\.\.2"):
        task.network_input(IMAGES, [{**targets()[0], "labels": torch.tensor([5, 1])}, targets()[1]], None)
    with pytest.raises(ValueError, match=r"one loss for all images.*batches of one data set"):
        task.select({"loss": torch.ones(())}, torch.tensor([0]))
    assert task.channels == 3 and dict(task.directions) == {"mAP": "higher"}
