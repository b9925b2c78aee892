"""connect: units from the shapes found, everything checked before anything is computed."""

from functools import partial

import pytest
import timm
import torch
from networks.toys import Chain, Last, Sum, Swap, X, plain
from streams.nets import UNet, faster_rcnn, images_and_targets, torchvision_alexnet
from torch import Tensor, nn

import taskweave as tw


class Recording(tw.Unit):
    """Keeps the shapes that it is built from; hands features on."""

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return list(features)


def shapes_of(net: tw.Connected) -> list[list[str]]:
    return [[str(shape) for shape in connection.unit.shapes] for connection in net.connections]


def test_units_are_built_from_the_shapes_that_meet() -> None:
    streams = plain("a") | {"b": plain("b", (6, 7))["b"]}
    places = [{"a": "s1", "b": "s1"}, {"b": "s2", "a": "s3"}]
    net = tw.connect(streams, places, Recording, example={"a": X, "b": X[:, :, :2]})
    assert shapes_of(net) == [["(B, C=4, 5, 4)", "(B, C=6, 2, 4)"], ["(B, C=7, 2, 4)", "(B, C=4, 5, 4)"]]
    assert [dict(connection.at) for connection in net.connections] == places


def test_a_stage_name_stands_for_that_stage_in_every_stream() -> None:
    net = tw.connect(plain("abc"), ["s1", "s3"], Recording, example=X)
    assert [connection.at for connection in net.connections] == [dict.fromkeys("abc", s) for s in ("s1", "s3")]
    assert [len(shapes) for shapes in shapes_of(net)] == [3, 3]


class Doubling(tw.Unit):
    """Gives twice the channels."""

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return [torch.cat([x, x], 1) for x in features]


class Wide(nn.Module):
    """The layer after s1 takes twice the channels that s1 gives: made for a unit in between."""

    def __init__(self) -> None:
        super().__init__()
        self.s1, self.s2 = nn.Conv2d(3, 4, 1), nn.Conv2d(8, 2, 1)


def test_a_unit_may_change_channels_and_later_shapes_follow() -> None:
    streams = {name: tw.Stream(Wide(), {"s1": ["s1"], "s2": ["s2"]}) for name in "ab"}
    net = tw.connect(streams, ["s1"], Doubling, example=X, prove=False)
    assert net(X)["a"].shape == (2, 2, 5, 4)
    gathering = tw.connect(streams, ["s1"], Doubling, example=X, prove=False, gather=[Recording])
    assert shapes_of(gathering)[1:] == [["(B, C=8, 5, 4)"]] * 2


def test_a_next_layer_that_cannot_take_the_channels_is_named() -> None:
    message = r"after its connections stream 'a' cannot go on: .*8 channels.*A unit that changes"
    with pytest.raises(ValueError, match=message):
        tw.connect(plain("ab"), ["s1"], Doubling, example=X)


def test_gatherings_come_once_per_stream_over_all_its_places() -> None:
    places = [{"a": "s1", "b": "s1"}, {"a": "s2"}, {"a": "s3", "b": "s3"}]
    net = tw.connect(plain("ab"), places, Recording, example=X, gather=[Last])
    assert [connection.at for connection in net.connections][3:] == [{"a": ("s1", "s2", "s3")}, {"b": ("s1", "s3")}]
    assert [len(shapes) for shapes in shapes_of(net)] == [2, 1, 2, 3, 2]
    net = tw.connect(plain("ab"), ["s1", "s2"], Recording, example=X, gather=[Last, Last])
    assert [connection.at for connection in net.connections][2:] == [{name: ("s1", "s2")} for name in "abab"]


def test_one_unit_object_serves_every_place() -> None:
    unit = Swap([])
    net = tw.connect(plain("ab"), ["s1", "s2"], unit, example=X)
    assert all(connection.unit is unit for connection in net.connections)


def test_a_unit_that_refuses_the_shapes_is_named_with_its_place() -> None:
    streams = plain("a") | {"b": plain("b", (6, 7))["b"]}
    with pytest.raises(ValueError, match=r"connection 1 at {'a': 's2', 'b': 's2'}: CrossStitch .*use CrossConnection"):
        tw.connect(streams, [{"a": "s1"}, {"a": "s2", "b": "s2"}], picky, example=X)


def picky(shapes: list[tw.FeatureShape]) -> tw.Unit:
    return tw.Identity(shapes) if len(shapes) == 1 else tw.CrossStitch(shapes)


def test_a_stage_that_does_not_exist_lists_those_that_do() -> None:
    streams = {name: tw.as_stream(timm.create_model("test_resnet")) for name in ("seg", "depth")}
    with pytest.raises(
        ValueError, match=r"stream 'seg' has no stage 'layer9'; its stages are \['stem', 'layer1', 'layer2'"
    ):
        tw.connect(streams, ["layer1", "layer9"], tw.CrossStitch, example=torch.rand(1, 3, 32, 32))


@pytest.mark.parametrize("at", ["s1", {"a": "s1", "b": "s2"}])
def test_one_place_without_its_list(at: object) -> None:
    with pytest.raises(ValueError, match=r"at is a list of places, got .*; write at="):
        tw.connect(plain("ab"), at, tw.Identity, example=X)  # type: ignore[arg-type]


@pytest.mark.parametrize("build", ["connect", "share", "share_latent", "Connected"])
def test_networks_that_are_no_streams(build: str) -> None:
    networks = {"a": Wide(), "b": Wide()}
    makers = {
        "connect": lambda: tw.connect(networks, ["s1"], tw.Identity, example=X),  # type: ignore[arg-type]
        "share": lambda: tw.share(networks, until="s1"),  # type: ignore[arg-type]
        "share_latent": lambda: tw.share_latent(networks, rank=1),  # type: ignore[arg-type]
        "Connected": lambda: tw.Connected(networks),  # type: ignore[arg-type]
    }
    with pytest.raises(TypeError, match=r"'a' is a Wide, not a Stream; wrap it: as_stream\(net\)"):
        makers[build]()


def test_an_example_for_every_stream() -> None:
    with pytest.raises(ValueError, match=r"needs an example for the streams \['b'\]; example has \['a'\]"):
        tw.connect(plain("ab"), ["s1"], tw.CrossStitch, example={"a": X})


def test_a_stream_that_is_not_its_network_is_refused_unless_told() -> None:
    streams = {"a": tw.Stream(Chain(), {"s1": ["s1"], "s2": ["s2"]})}
    with pytest.raises(ValueError, match="do not compute what the network computes"):
        tw.connect(streams, ["s1"], tw.Identity, example=X)
    assert tw.connect(streams, ["s1"], tw.Identity, example=X, prove=False)(X)["a"].shape == (2, 4, 5, 4)


def test_networks_stay_as_they_were() -> None:
    streams = {name: tw.as_stream(timm.create_model("test_resnet")) for name in "ab"}
    streams["a"].train()
    streams["b"].eval()
    before = {k: {n: v.clone() for n, v in s.state_dict().items()} for k, s in streams.items()}
    net = tw.connect(streams, ["layer1"], partial(tw.NDDR, self_weight=1.0), example=torch.rand(1, 3, 32, 32))
    for name, stream in streams.items():
        assert net.stream(name) is stream
        assert all(torch.equal(before[name][key], value) for key, value in stream.state_dict().items())
        assert not any(isinstance(p, torch._subclasses.FakeTensor) for p in stream.parameters())
    assert streams["a"].net.training and not streams["b"].net.training
    assert all(connection.unit.training for connection in net.connections)


def test_building_on_the_meta_device_needs_no_data() -> None:
    with torch.device("meta"):
        streams = {name: tw.as_stream(timm.create_model("resnet50")) for name in "ab"}
    net = tw.connect(streams, ["layer1", "layer4"], tw.NDDR, example=torch.rand(1, 3, 224, 224), gather=[])
    assert all(p.is_meta for p in net.parameters())
    convolutions = [p for p in net.connections.parameters() if p.ndim == 4]
    assert sum(p.numel() for p in convolutions) == 2 * 2 * 256 * 256 + 2 * 2 * 2048 * 2048
    assert net(torch.empty(1, 3, 224, 224, device="meta"))["a"].shape == (1, 1000)


def test_detectors_on_the_meta_device() -> None:
    with torch.device("meta"):
        streams = {name: tw.as_stream(faster_rcnn()) for name in "ab"}
    net = tw.connect(streams, ["layer1"], tw.CrossStitch, example=torch.rand(2, 3, 64, 64))
    assert net.connection(0).unit.shapes[0].sizes == (64, 16, 16)


def test_a_detector_still_detects_after_it_was_connected() -> None:
    """Its anchors are cached while it runs; those of the run without data must not stay."""
    images, targets = images_and_targets()
    stream = tw.as_stream(faster_rcnn())
    net = tw.connect({"boxes": stream}, ["layer2"], tw.Identity, example=(images, targets)).eval()
    with torch.no_grad():
        assert len(net(images)["boxes"]) == 2


@pytest.mark.parametrize("names", [("pool1", "conv4"), ("conv1", "pool5")])
def test_unlike_networks_meet(names: tuple[str, str]) -> None:
    x = torch.rand(1, 3, 96, 96)
    streams = {"resnet": tw.as_stream(timm.create_model("test_resnet")), "alexnet": tw.as_stream(torchvision_alexnet())}
    streams["unet"] = tw.trace_stream(UNet(), stages=["down1", "up1"], example=x)
    places = [
        {"resnet": "layer1", "alexnet": names[0], "unet": "down1"},
        {"resnet": "layer3", "alexnet": names[1], "unet": "up1"},
    ]
    outputs = tw.connect(streams, places, tw.CrossConnection, example=x).eval()(x)
    assert outputs["unet"]["map"].shape == (1, 4, 96, 96) and outputs["alexnet"].shape == (1, 5)


def test_directed_units_of_a_real_network_skip_the_other_stream() -> None:
    x = torch.rand(1, 3, 32, 32)
    streams = {name: tw.as_stream(timm.create_model("test_resnet", num_classes=2)) for name in "ab"}
    net = tw.connect(streams, ["layer1", "layer2"], partial(tw.CrossConnection, links=[(1, 0)]), example=x).eval()
    ran: list[str] = []
    for name in "ab":
        for i in (1, 2, 3, 4):
            layer = net.stream(name).net.get_submodule(f"layer{i}")
            layer.register_forward_hook(lambda *_, stage=f"{name}{i}": ran.append(stage))
    whole = net(x)
    ran.clear()
    assert torch.equal(net(x, tasks=("b",))["b"], whole["b"])
    assert ran == ["b1", "b2", "b3", "b4"]
    ran.clear()
    assert torch.equal(net(x, tasks=("a",))["a"], whole["a"])
    assert sorted(ran) == ["a1", "a2", "a3", "a4", "b1", "b2"]


def test_partial_factories_pass_options() -> None:
    net = tw.connect(plain("ab"), ["s1"], partial(Sum, reads={0: (1,)}), example=X)
    assert net.connection(0).unit.reads == {0: (1,)}
