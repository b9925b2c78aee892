"""Every network against the network contract, and every assertion of that contract shown to fail."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from contracts.network_contract import (
    CHANNELS,
    NetworkCase,
    assert_any_size,
    assert_builds_without_memory,
    assert_checkpoint_passes,
    assert_compiles_and_exports,
    assert_copies,
    assert_gradient_everywhere,
    assert_side_by_side,
    assert_stream_is_network,
    fits_anchors,
    fits_attributes,
    fits_classes,
    fits_of_two,
    fits_picture,
    fits_regions,
    pair,
    picture,
    regions,
    two_pictures,
)
from torch import Tensor, nn

import taskweave as tw
from taskweave.heads import ASPP, AsppV3, LargeFOV, PooledLinear, VGGClassifier
from taskweave.networks.alexnet import FastRCNNAlexNet, FCN32sAlexNet, fast_rcnn_alexnet, fcn32s_alexnet
from taskweave.networks.pets.pet_nets import PetMapNet, pet_map_net, pet_numbers_net
from taskweave.networks.resnet.baselines import dense_resnet
from taskweave.networks.resnet.deeplab_resnet import DeepLabResNet, deeplab_resnet, timm_classifier
from taskweave.networks.resnet.mtan_resnet import STANResNet, stan_resnet
from taskweave.networks.segnet.baselines import dense_segnet
from taskweave.networks.segnet.mtan_segnet import stan_segnet
from taskweave.networks.segnet.segnet_vgg16 import SegNetVGG16, segnet_vgg16
from taskweave.networks.unet.st_unet import STUNet, st_unet
from taskweave.networks.vgg.networks import (
    RPNVGG16,
    VGG16,
    DeepLabVGG16,
    PSPNetVGG16,
    deeplab_vgg16,
    pspnet_vgg16,
    rpn_vgg16,
    vgg16,
)
from taskweave.parts import part
from taskweave.streams.stream import Stream

vgg = partial(deeplab_vgg16, CHANNELS, head=part(LargeFOV, hidden=32), batch_norm=False)
resnet = partial(deeplab_resnet, CHANNELS, body="resnet18")
alexnet = partial(fcn32s_alexnet, CHANNELS, hidden=32)
rpn = partial(rpn_vgg16, CHANNELS + 1, hidden=32, width=16)
pspnet = partial(pspnet_vgg16, CHANNELS, hidden=32, width=16)
fast_rcnn = partial(fast_rcnn_alexnet, CHANNELS + 1, hidden=32)
attributes = partial(fast_rcnn_alexnet, CHANNELS, boxes=False, body="torchvision", hidden=32)
segnet = partial(segnet_vgg16, CHANNELS, widths=(4, 4, 8, 8, 8))
stan = partial(stan_segnet, CHANNELS, widths=(4, 4, 8, 8, 8))

pet_map = partial(pet_map_net, CHANNELS, width=2)
pet_numbers = partial(pet_numbers_net, CHANNELS, width=2, hidden=(6, 4))
whole_vgg = partial(vgg16, CHANNELS, width=8, head=part(VGGClassifier, grid=2, hidden=32))


def one_of(build: Callable[..., tw.Connected], **options: Any) -> Callable[[], nn.Module]:
    """What builds one task's network of those that are built with others."""
    return lambda: build({"only": CHANNELS}, **options).stream("only").net


dense = one_of(dense_segnet, widths=(4, 4, 8, 8, 8))
v3 = part(AsppV3, hidden=16)
dense_res = one_of(dense_resnet, network=part(deeplab_resnet, body="test_resnet", head=v3.replace(rates=(1, 2))))


stan_res = partial(stan_resnet, CHANNELS, network=part(deeplab_resnet, body="resnet18", head=v3))
pooled_vgg = partial(vgg16, CHANNELS, width=8, head=part(PooledLinear), batch_norm=True)

ANCHORS = (9 * (CHANNELS + 1), 9 * 4)
REGIONS = (CHANNELS + 1, 4 * (CHANNELS + 1))

CASES = [
    NetworkCase("deeplab_vgg16", vgg, 8, DeepLabVGG16.usual_stages),
    NetworkCase("deeplab_vgg16 batch norm", partial(vgg, batch_norm=True), 8, (*DeepLabVGG16.usual_stages, "fc6", "fc7")),
    NetworkCase("deeplab_vgg16 aspp", partial(vgg, head=part(ASPP, hidden=32)), 8, DeepLabVGG16.usual_stages),
    NetworkCase("deeplab_resnet", resnet, 8, DeepLabResNet.usual_stages),
    NetworkCase("deeplab_resnet v3", partial(resnet, head=v3, output_stride=16), 16, DeepLabResNet.usual_stages),
    NetworkCase("fcn32s_alexnet caffenet", alexnet, 32, FCN32sAlexNet.usual_stages),
    NetworkCase("fcn32s_alexnet torchvision", partial(alexnet, body="torchvision"), 32, FCN32sAlexNet.usual_stages),
    NetworkCase("rpn_vgg16", rpn, 16, RPNVGG16.usual_stages, fits=fits_anchors, last=ANCHORS),
    NetworkCase("rpn_vgg16 batch norm", partial(rpn, batch_norm=True), 16, ("pool4",), fits=fits_anchors, last=ANCHORS),
    NetworkCase("pspnet_vgg16", pspnet, 8, PSPNetVGG16.usual_stages),
    NetworkCase("pspnet_vgg16 at 16", partial(pspnet, output_stride=16, batch_norm=True, bins=(1, 2)), 16, ("conv5_3",)),
    NetworkCase("st_unet", partial(st_unet, CHANNELS, widths=(4, 4, 8, 8)), 1, STUNet.usual_stages),
    NetworkCase("segnet_vgg16", segnet, 1, SegNetVGG16.usual_stages),
    NetworkCase("stan_segnet", stan, 1, ("pool2", "attend_conv2_2", "attend_conv5_3", "attend_dec2_2")),
    NetworkCase(
        "stan_resnet",
        stan_res,
        1,
        STANResNet.usual_stages,
    ),
    NetworkCase("dense_segnet", dense, 1, ("pool2", "own_pool1", "own_pool5", "own_dec3")),
    NetworkCase("dense_resnet", dense_res, 1, ("layer2", "own_stem", "own_layer3", "aspp")),
    NetworkCase("vgg16", whole_vgg, 32, (*VGG16.usual_stages, "fc6", "fc7"), fits=fits_classes),
    NetworkCase(
        "vgg16 pooled",
        pooled_vgg,
        32,
        VGG16.usual_stages,
        fits=fits_classes,
    ),
    NetworkCase(
        "timm_classifier", partial(timm_classifier, CHANNELS, body="resnet10t"), 32, ("stem", "layer4"), fits=fits_classes
    ),
    NetworkCase("pet_map_net", pet_map, 1, PetMapNet.usual_stages, two_pictures, fits_of_two(fits_picture)),
    NetworkCase("pet_numbers_net", pet_numbers, 64, PetMapNet.usual_stages, two_pictures, fits_of_two(fits_classes)),
    NetworkCase("fast_rcnn_alexnet", fast_rcnn, 16, FastRCNNAlexNet.usual_stages, regions, fits_regions, last=REGIONS),
    NetworkCase("fast_rcnn_alexnet attributes", attributes, 16, FastRCNNAlexNet.usual_stages, regions, fits_attributes),
]
LARGE = ("deeplab_vgg16", "deeplab_vgg16 aspp", "fcn32s_alexnet torchvision")  # others of their kind are in the fast subset
every_network = pytest.mark.parametrize(
    "case", [pytest.param(case, id=str(case), marks=pytest.mark.slow if case.name in LARGE else ()) for case in CASES]
)


@every_network
def test_builds_without_memory(case: NetworkCase) -> None:
    assert_builds_without_memory(case)


@every_network
def test_any_size(case: NetworkCase) -> None:
    assert_any_size(case)


@every_network
def test_stream_is_network(case: NetworkCase) -> None:
    assert_stream_is_network(tw.as_stream(case.build()), case.inputs(64, 65))


@every_network
def test_no_connections_is_side_by_side(case: NetworkCase) -> None:
    assert_side_by_side(pair(case, connected=False), case.inputs())


@every_network
def test_identity_at_all_places_is_side_by_side(case: NetworkCase) -> None:
    net = pair(case)
    assert len(net.connections) == len(case.places)
    assert_side_by_side(net, case.inputs())


COMPILED_ELSEWHERE = ("stan_segnet", "stan_resnet", "dense_segnet", "dense_resnet", "pet_map_net", "pet_numbers_net")
"""Where they share a trunk or are stitched, in tests/networks."""


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in CASES if case.name not in COMPILED_ELSEWHERE], ids=str)
def test_compiles_and_exports(case: NetworkCase) -> None:
    assert_compiles_and_exports(pair(case, unit=tw.CrossStitch), case.inputs())


@pytest.mark.slow
def test_shared_networks_compile_and_export() -> None:
    streams = {name: tw.as_stream(alexnet()) for name in ("a", "b")}
    assert_compiles_and_exports(tw.share(streams, until="conv3"), picture())
    after = tw.share(streams, until="pool1", at=["pool2", "fc6"], unit=tw.CrossStitch, example=picture())
    assert_compiles_and_exports(after, picture())
    assert_compiles_and_exports(tw.share_latent(streams, rank=4), picture())
    assert_copies(after, picture())


@every_network
def test_gradient_everywhere(case: NetworkCase) -> None:
    assert_gradient_everywhere(case.build(), case.inputs(64, 64, batch=1))


@every_network
def test_checkpoint_passes_before_and_after_connecting(case: NetworkCase) -> None:
    assert_checkpoint_passes(case.build, pair(case), case.inputs())


@every_network
def test_copies(case: NetworkCase) -> None:
    assert_copies(pair(case), case.inputs())


@every_network
def test_head_is_the_last_layer(case: NetworkCase) -> None:
    """What `Stream.head` names is what gives the output its channels."""
    stream = tw.as_stream(case.build())
    modules = [m for path in stream.head for m in stream.net.get_submodule(path).modules()]
    layers = [m for m in modules if isinstance(m, nn.Conv2d | nn.Linear)]
    assert {layer.weight.shape[0] for layer in layers} == set(case.last)


class Toy(nn.Module):
    """A network with every fault that can be asked for."""

    def __init__(self, *, stride: int = 1, idle: bool = False, width: int = 4) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, padding=1, stride=stride)
        self.norm = nn.BatchNorm2d(width)
        self.last = nn.Conv2d(width, CHANNELS, 1)
        self.idle = nn.Parameter(torch.ones(1)) if idle else None

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(self.norm(self.first(x)))
        return out


def toy_stream(net: nn.Module, *, stages: tuple[str, ...] = ("first", "norm", "last")) -> Stream:
    return Stream(net, {name: (name,) for name in stages})


class Branching(Toy):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if x.sum() > 0 else super().forward(-x)


class Lambda(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = Toy()
        self.unpicklable = lambda x: x

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.net(x)
        return out


def test_the_contract_notices_a_wrong_size() -> None:
    with pytest.raises(AssertionError):
        assert_any_size(NetworkCase("toy", partial(Toy, stride=2), 1, ()))
    with pytest.raises(AssertionError):
        assert_builds_without_memory(NetworkCase("toy", partial(Toy, stride=2), 1, ()))


def test_the_contract_notices_a_stream_that_is_not_its_network() -> None:
    with pytest.raises(ValueError, match="do not compute"):
        assert_stream_is_network(toy_stream(Toy(), stages=("first", "last")), picture())

    class TrainOnly(Toy):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(2 * x if self.training else x)

    with pytest.raises(AssertionError):
        assert_stream_is_network(toy_stream(TrainOnly()), picture())


def test_the_contract_notices_streams_that_are_not_side_by_side() -> None:
    class Swap(tw.Unit):
        def forward(self, features: list[Tensor]) -> list[Tensor]:
            return features[::-1]

    streams = {"a": toy_stream(Toy()), "b": toy_stream(Toy())}
    with pytest.raises(AssertionError):
        assert_side_by_side(tw.connect(streams, ["first"], Swap, example=picture()), picture())


def test_the_contract_notices_a_graph_break() -> None:
    stream = Stream(nn.Sequential(Branching()), {"all": ("0",)})
    with pytest.raises(Exception, match=r"[Dd]ata-dependent|branching"):
        assert_compiles_and_exports(tw.Connected({"a": stream}), picture())


def test_the_contract_notices_an_idle_parameter() -> None:
    with pytest.raises(AssertionError, match="idle"):
        assert_gradient_everywhere(Toy(idle=True), picture())


def test_the_contract_notices_a_checkpoint_that_does_not_fit() -> None:
    with pytest.raises(RuntimeError, match="size mismatch"):
        assert_checkpoint_passes(partial(Toy, width=3), tw.Connected({"a": toy_stream(Toy())}), picture())


def test_the_contract_notices_what_cannot_be_copied() -> None:
    net = tw.Connected({"a": Stream(Lambda(), {"all": ("net",)})})
    with pytest.raises((AttributeError, TypeError, __import__("pickle").PicklingError)):
        assert_copies(net, picture())
