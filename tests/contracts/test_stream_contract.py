"""The contract of streams, on every kind there is; and each of its assertions seen to fail."""

import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torchvision
from contracts.stream_contract import (
    StreamCase,
    assert_checkpoint_loads,
    assert_copies,
    assert_equal,
    assert_features_stay,
    assert_is_network,
    assert_shapes_agree,
    assert_stages_hold_layers,
    picture,
)
from streams.nets import (
    Skipping,
    UNet,
    faster_rcnn,
    images_and_targets,
    retinanet,
    segmentation_net,
    small_segmentation_net,
    timm_net,
    timm_vgg,
    torchvision_alexnet,
    torchvision_densenet,
    torchvision_vgg,
)
from torch import Tensor, nn
from torchvision.models.segmentation.fcn import FCN, FCNHead

import taskweave as tw
from taskweave.heads import AsppV3
from taskweave.networks import (
    deeplab_resnet,
    dense_resnet,
    dense_segnet,
    pet_map_net,
    pet_numbers_net,
    segnet_vgg16,
    st_unet,
    stan_segnet,
)
from taskweave.parts import part
from taskweave.streams.stream import Stream


def traced(*stages: str, head: str) -> Any:
    def convert(net: nn.Module) -> Stream:
        example = picture(1, 64)
        return tw.trace_stream(net, stages=stages, example=example, head=[head])

    return convert


def one_of(build: Callable[..., tw.Connected], **options: Any) -> Callable[[], nn.Module]:
    """What builds one task's network of those that are built with others."""
    return lambda: build({"only": 5}, **options).stream("only").net


RESNET = part(deeplab_resnet, body="test_resnet", head=part(AsppV3, hidden=8, rates=(1, 2)))

CASES = [
    StreamCase("timm resnet", timm_net("test_resnet")),
    StreamCase("timm resnext", timm_net("seresnext26d_32x4d", drop_path_rate=0.2)),
    StreamCase("timm vgg", partial(timm_vgg, None)),
    StreamCase("timm vgg batch norm", partial(timm_vgg, nn.BatchNorm2d)),
    StreamCase("timm convnext", timm_net("test_convnext", drop_path_rate=0.2)),
    StreamCase("timm convnext norm first", timm_net("test_convnext2", head_norm_first=True)),
    StreamCase("timm efficientnet", timm_net("test_efficientnet", drop_path_rate=0.2)),
    StreamCase("timm vit", timm_net("test_vit", img_size=64, drop_path_rate=0.2, proj_drop_rate=0.1)),
    StreamCase("timm vit map pooling", timm_net("test_vit3", img_size=64, pos_drop_rate=0.1)),
    StreamCase("timm deit", timm_net("deit_tiny_distilled_patch16_224", img_size=64, depth=2, patch_drop_rate=0.5)),
    StreamCase("torchvision alexnet", torchvision_alexnet),
    StreamCase("torchvision vgg", partial(torchvision_vgg, False)),
    StreamCase("torchvision vgg batch norm", partial(torchvision_vgg, True)),
    StreamCase("torchvision resnet", partial(torchvision.models.resnet18, num_classes=5)),
    StreamCase("torchvision fcn", partial(small_segmentation_net, FCN, FCNHead)),
    StreamCase("torchvision deeplabv3", partial(segmentation_net, "deeplabv3_mobilenet_v3_large", True)),
    StreamCase("torchvision deeplabv3 no aux", partial(segmentation_net, "deeplabv3_mobilenet_v3_large", False)),
    StreamCase("st_unet", partial(st_unet, 5, widths=(4, 4, 8, 8))),
    StreamCase("segnet_vgg16", partial(segnet_vgg16, 5, widths=(4, 4, 8, 8, 8))),
    StreamCase("stan_segnet", partial(stan_segnet, 5, widths=(4, 4, 8, 8, 8))),
    StreamCase("one stream of dense_segnet", one_of(dense_segnet, widths=(4, 4, 8, 8, 8))),
    StreamCase("one stream of dense_resnet", one_of(dense_resnet, network=RESNET)),
    StreamCase("pet_map_net", partial(pet_map_net, 5, width=2)),
    StreamCase("pet_numbers_net", partial(pet_numbers_net, 5, width=2, hidden=(6,))),
    StreamCase("faster r-cnn", faster_rcnn, images_and_targets),
    StreamCase("retinanet", retinanet, images_and_targets),
    StreamCase("traced unet", UNet, convert=traced("down1", "down2", "up1", head="head")),
    StreamCase("traced skips", Skipping, convert=traced("a", "b", head="c")),
    StreamCase("traced densenet", torchvision_densenet, convert=traced("features.denseblock2", head="classifier")),
    StreamCase("traced timm mobilenetv3", timm_net("mobilenetv3_small_050"), convert=traced("blocks.1", head="classifier")),
]

each = pytest.mark.parametrize("case", CASES, ids=str)


@each
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_stream_is_its_network(case: StreamCase, training: bool) -> None:
    stream, example = case.stream(), case.example()
    assert_is_network(stream, example, training=training)
    assert_features_stay(stream, example, training=training)


@each
def test_stream_keeps_the_network_whole(case: StreamCase) -> None:
    net, trained, example = case.build(), case.build(), case.example()
    stream = case.convert(net)
    assert stream.net is net
    stream.prove(example)
    assert_stages_hold_layers(stream)
    assert_checkpoint_loads(stream, trained, example)


@each
def test_stream_is_data(case: StreamCase) -> None:
    stream, example = case.stream(), case.example()
    assert_shapes_agree(stream, example)
    assert_copies(stream, example)


# ---- each assertion can fail


class Chain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.act, self.b = nn.Conv2d(3, 3, 1), nn.ReLU(inplace=True), nn.Conv2d(3, 3, 1)
        self.drop = nn.Dropout(0.5, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(self.drop(self.act(self.a(x))))


STAGES = {"one": ["a", "act"], "two": ["drop", "b"]}


def test_equal_can_fail() -> None:
    x = torch.zeros(2)
    assert_equal({"a": [x, 1]}, {"a": [x.clone(), 1]})
    for other in ({"a": [x + 1, 1]}, {"b": [x, 1]}, {"a": [x]}, {"a": [x, 2]}, {"a": [x.double(), 1]}):
        with pytest.raises(AssertionError):
            assert_equal({"a": [x, 1]}, other)


def test_is_network_can_fail_in_each_mode() -> None:
    net = Chain()
    assert_is_network(Stream(net, STAGES), picture(), training=True)
    with pytest.raises(AssertionError):
        assert_is_network(Stream(net, {"one": ["a"], "two": ["drop", "b"]}), picture(), training=False)
    without_dropout = Stream(net, {"one": ["a", "act"], "two": ["b"]})
    assert_is_network(without_dropout, picture(), training=False)
    with pytest.raises(AssertionError):
        assert_is_network(without_dropout, picture(), training=True)


def test_features_stay_can_fail_in_each_mode() -> None:
    net = Chain()
    assert_features_stay(Stream(net, {"one": ["a", "act", "drop"], "two": ["b"]}), picture(), training=True)
    with pytest.raises(AssertionError, match="one is overwritten"):
        assert_features_stay(Stream(net, {"one": ["a"], "two": ["act", "drop", "b"]}), picture(), training=False)
    with pytest.raises(AssertionError, match="one is overwritten"):
        assert_features_stay(Stream(net, STAGES), picture(), training=True)


def test_shapes_agree_can_fail() -> None:
    class Halved(nn.Module):
        """Gives another size without data than with."""

        def forward(self, x: Tensor) -> Tensor:
            return x[..., ::2] if type(x) is Tensor else x * 1

    assert_shapes_agree(Stream(Chain(), STAGES), picture())
    with pytest.raises(AssertionError):
        assert_shapes_agree(Stream(nn.Sequential(nn.Conv2d(3, 3, 1), Halved()), {"one": ["0", "1"]}), picture())


def test_checkpoint_loads_can_fail() -> None:
    stream = Stream(Chain(), STAGES)
    assert_checkpoint_loads(stream, Chain(), picture())
    wider = Chain()
    wider.more = nn.Linear(1, 1)
    with pytest.raises(RuntimeError, match="Unexpected key"):
        assert_checkpoint_loads(stream, wider, picture())
    with pytest.raises(AssertionError):
        assert_checkpoint_loads(Stream(Chain(), {"one": ["a"], "two": ["b"]}), Chain(), picture())


class SharesTheNetwork(Chain):
    def __deepcopy__(self, memo: dict[int, Any]) -> "SharesTheNetwork":
        return self


def test_copies_can_fail() -> None:
    net = Chain()
    assert_copies(Stream(net, STAGES), picture())
    with pytest.raises(AssertionError, match="shares parameters"):
        assert_copies(Stream(SharesTheNetwork(), STAGES), picture())
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        assert_copies(Stream(net, {"one": tw.Step(lambda net, x, memory: net(x), ("a",))}), picture())


def test_stages_hold_layers_can_fail() -> None:
    net = Chain()
    assert_stages_hold_layers(Stream(net, {"one": ["a"]}, head=["b"]))
    for stages, head in (({"one": ["a"]}, []), ({"one": ["a", "b"]}, ["b"]), ({"one": ["a"], "two": ["a"]}, ["b"])):
        with pytest.raises(AssertionError):
            assert_stages_hold_layers(Stream(net, stages, head=head))
