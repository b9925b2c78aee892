"""`predict` of real networks with real tasks: what is decoded, at the picture's own size."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import taskweave as tw
from taskweave.heads import ASPP, LargeFOV
from taskweave.networks import deeplab_resnet, deeplab_vgg16, fcn32s_alexnet
from taskweave.parts import part
from taskweave.tasks import Depth, Normals, NormalsByCodebook, Segmentation, Task

SIZE = (37, 50)
TASKS: dict[str, Task] = {
    "seg": Segmentation(5),
    "depth": Depth(),
    "normals": Normals(),
    "codes": NormalsByCodebook(codebook=torch.eye(3)),
}


def whole(output: Tensor) -> Tensor:
    """Any output at the picture's size, as everywhere here."""
    return F.interpolate(output, size=SIZE, mode="bilinear", align_corners=False)


@pytest.mark.parametrize(
    "build",
    [
        lambda c: deeplab_resnet(c, body="resnet10t", head=part(ASPP, hidden=None, rates=(1, 2))),
        lambda c: deeplab_vgg16(c, head=part(LargeFOV, hidden=8)),
        lambda c: fcn32s_alexnet(c, hidden=8),
    ],
    ids=["resnet", "vgg16", "alexnet"],
)
def test_every_task_at_the_pictures_size(build) -> None:
    streams = {name: tw.as_stream(build(task.channels)) for name, task in TASKS.items()}
    place = next(iter(streams.values())).net.usual_stages[1]
    net = tw.connect(streams, [place], tw.CrossStitch, example=torch.rand(1, 3, *SIZE)).train()
    picture = torch.randint(0, 256, (3, *SIZE), dtype=torch.uint8)
    found = tw.predict(net, TASKS, picture)
    assert net.training

    net.eval()
    with torch.no_grad():
        raw = {name: whole(y)[0] for name, y in net(tw.IMAGENET.normalise(picture)[None]).items()}
    assert torch.equal(found["seg"], raw["seg"].argmax(0))
    assert torch.equal(found["depth"], raw["depth"])
    torch.testing.assert_close(found["normals"], F.normalize(raw["normals"], dim=0))
    torch.testing.assert_close(found["codes"], F.normalize(raw["codes"].softmax(0), dim=0))  # the codes are the axes
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "seg": SIZE,
        "depth": (1, *SIZE),
        "normals": (3, *SIZE),
        "codes": (3, *SIZE),
    }


def test_the_statistics_are_those_that_are_given() -> None:
    """Caffe's: blue first, minus the mean, in 0..255."""
    streams = {"depth": tw.as_stream(fcn32s_alexnet(1, hidden=8))}
    net = tw.Connected(streams).eval()
    picture = torch.randint(0, 256, (3, *SIZE), dtype=torch.uint8)
    caffe = picture.flip(0).float() - torch.tensor([104.00698793, 116.66876762, 122.67891434])[:, None, None]
    with torch.no_grad():
        found = tw.predict(net, {"depth": Depth()}, picture, statistics=tw.CAFFE)["depth"]
        torch.testing.assert_close(found, whole(net(caffe[None])["depth"])[0])
