"""Hard sharing: counted once, computed once, its gradient the sum of the tasks'."""

import copy

import pytest
import torch
from torch import Tensor, nn

import taskweave as tw
from taskweave.heads import LargeFOV
from taskweave.networks import deeplab_resnet, deeplab_vgg16, fcn32s_alexnet
from taskweave.parts import part
from taskweave.streams.stream import Memory, Stream


class Net(nn.Module):
    """Three stages and a last layer."""

    def __init__(self, outputs: int = 2, *, width: int = 4, stride: int = 1) -> None:
        super().__init__()
        self.one = nn.Sequential(nn.Conv2d(3, width, 3, padding=1, stride=stride), nn.BatchNorm2d(width), nn.ReLU())
        self.two = nn.Sequential(nn.Conv2d(width, 4, 3, padding=1), nn.ReLU())
        self.three = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())
        self.last = nn.Conv2d(4, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(self.three(self.two(self.one(x))))
        return out


STAGES = ("one", "two", "three", "last")


def stream(outputs: int = 2, *, width: int = 4, stride: int = 1) -> Stream:
    net = Net(outputs, width=width, stride=stride)
    return Stream(net, {name: (name,) for name in STAGES}, head=("last",))


def three() -> dict[str, Stream]:
    return {"seg": stream(5), "depth": stream(1), "normals": stream(3)}


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("until", STAGES[:3])
def test_parameters_are_counted_once(until: str) -> None:
    streams = three()
    below = STAGES[: STAGES.index(until) + 1]
    trunk = sum(count(getattr(streams["seg"].net, name)) for name in below)
    net = tw.share(streams, until=until)
    assert count(net) == sum(count(s) for s in streams.values()) - 2 * trunk


def test_every_stream_is_its_task_on_the_first_streams_trunk() -> None:
    streams, x = three(), torch.randn(2, 3, 6, 6)
    net = tw.share(streams, until="two").eval()
    outputs = net(x)
    trunk = nn.Sequential(streams["seg"].net.one, streams["seg"].net.two).eval()
    for name, given in streams.items():
        own = given.net
        assert torch.equal(outputs[name], own.last(own.three(trunk(x)))), name
        assert torch.equal(net(x, tasks=[name])[name], outputs[name])
        assert torch.equal(net.stream(name)(x), outputs[name]), "each stream is whole on its own too"


def test_the_trunk_is_computed_once() -> None:
    streams, calls = three(), []
    net = tw.share(streams, until="two")
    for name in STAGES:
        for stream_name in net.streams:
            module = getattr(net.stream(stream_name).net, name)
            if stream_name == "seg" or module is not getattr(net.stream("seg").net, name):
                module.register_forward_hook(lambda *_, name=name: calls.append(name))
    net(torch.randn(2, 3, 6, 6))
    assert sorted(calls) == ["last"] * 3 + ["one"] + ["three"] * 3 + ["two"]
    calls.clear()
    net(torch.randn(2, 3, 6, 6), tasks=["depth"])
    assert sorted(calls) == ["last", "one", "three", "two"]


def test_the_trunks_gradient_is_the_sum_of_the_tasks() -> None:
    streams, x = {name: s.double() for name, s in three().items()}, torch.randn(2, 3, 6, 6, dtype=torch.float64)
    net = tw.share(streams, until="two").eval()
    total: list[Tensor] = [torch.zeros_like(p) for p in net.stream("seg").net.two.parameters()]
    for name in net.streams:
        net.zero_grad()
        net(x, tasks=[name])[name].square().sum().backward()
        total = [t + p.grad for t, p in zip(total, net.stream("seg").net.two.parameters(), strict=True)]
    net.zero_grad()
    torch.stack([output.square().sum() for output in net(x).values()]).sum().backward()
    for expected, p in zip(total, net.stream("depth").net.two.parameters(), strict=True):
        torch.testing.assert_close(p.grad, expected, rtol=1e-12, atol=1e-12)


def test_the_networks_given_stay_as_they_were() -> None:
    streams = three()
    before = {name: copy.deepcopy(s.state_dict()) for name, s in streams.items()}
    modules = {name: [id(m) for m in s.modules()] for name, s in streams.items()}
    net = tw.share(streams, until="two")
    with torch.no_grad():
        for p in net.stream("normals").net.parameters():
            p.add_(1.0)
    assert net.stream("seg") is streams["seg"]
    assert [id(m) for m in streams["depth"].modules()] == modules["depth"]
    assert all(torch.equal(v, before["depth"][k]) for k, v in streams["depth"].state_dict().items())
    assert all(torch.equal(v, before["normals"][k]) for k, v in streams["normals"].state_dict().items())


def test_every_streams_state_dict_is_whole() -> None:
    net = tw.share(three(), until="two")
    Net(3).load_state_dict(net.stream("normals").net.state_dict())
    assert torch.equal(net.stream("normals").net.one[0].weight, net.stream("seg").net.one[0].weight)
    clone = copy.deepcopy(net)
    assert count(clone) == count(net)
    clone.load_state_dict(net.state_dict())


def test_running_statistics_move_once_per_step() -> None:
    net = tw.share(three(), until="two").train()
    net(torch.randn(2, 3, 6, 6))
    assert net.stream("depth").net.one[1].num_batches_tracked == 1


def test_another_streams_weights_may_lead() -> None:
    streams = three()
    net = tw.share(streams, until="one", trunk="normals")
    assert list(net.streams) == ["seg", "depth", "normals"]
    assert net.stream("normals") is streams["normals"]
    assert net.stream("seg").net.one is streams["normals"].net.one
    x = torch.randn(2, 3, 6, 6)
    net.eval()
    assert torch.equal(net(x)["normals"], streams["normals"].net(x))
    with pytest.raises(ValueError, match=r"trunk='edges' is not a stream; the streams are \['seg', 'depth', 'normals'\]"):
        tw.share(streams, until="one", trunk="edges")


class Swap(tw.Unit):
    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return features[::-1]


def test_connections_after_the_split() -> None:
    streams, x = {"seg": stream(5), "depth": stream(1)}, torch.randn(2, 3, 6, 6)
    net = tw.share(streams, until="one", at=["three"], unit=Swap, example=x).eval()
    a, b = streams["seg"].net, streams["depth"].net
    shared = a.one(x)
    assert torch.equal(net(x)["seg"], a.last(b.three(b.two(shared))))
    assert torch.equal(net(x)["depth"], b.last(a.three(a.two(shared))))
    with pytest.raises(ValueError, match="meets 'seg' at 'one', which it has already passed"):
        tw.share(streams, until="one", at=["one"], unit=Swap, example=x)
    with pytest.raises(ValueError, match="need unit= and example="):
        tw.share(streams, until="one", at=["three"])
    with pytest.raises(ValueError, match="need unit= and example="):
        tw.share(streams, until="one", at=["three"], example=x)


class Sum(tw.Unit):
    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return [sum(features[1:], features[0])]


@pytest.mark.parametrize("until", ["one", "two"])
def test_without_a_unit_streams_gather_from_the_trunk_too(until: str) -> None:
    """The shortcut of a shared network: each stream's own sum of the stages, which are the first stream's up to `until`."""
    streams, x = {"seg": stream(5), "depth": stream(1)}, torch.randn(2, 3, 6, 6)
    net = tw.share(streams, until=until, at=["one", "two"], gather=[Sum], example=x).eval()
    assert [dict(net.connection(i).at) for i in range(2)] == [{"seg": ("one", "two")}, {"depth": ("one", "two")}]
    a = streams["seg"].net
    for name, own in streams.items():
        one = a.one(x)
        two = (a if until == "two" else own.net).two(one)
        expected = own.net.last(own.net.three(one + two))
        assert torch.equal(net(x)[name], expected)
        assert torch.equal(net(x, [name])[name], expected)
    with pytest.raises(ValueError, match=r"'seg' gathers up to 'two', inside the trunk, which goes up to 'three'"):
        tw.share(streams, until="three", at=["one", "two"], gather=[Sum], example=x)
    with pytest.raises(ValueError, match=r"has no stage 'four'; its stages are \['one'"):
        tw.share(streams, until="three", at=["one", "four"], gather=[Sum], example=x)


def test_differing_architectures_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'a' and 'b' differ at stage 'one': 'one' is .*stride=\(1, 1\).*stride=\(2, 2\)"):
        tw.share({"a": stream(), "b": stream(stride=2)}, until="one")
    with pytest.raises(ValueError, match=r"'a' and 'b' differ at stage 'one'"):
        tw.share({"a": stream(), "b": stream(width=8)}, until="two")
    with pytest.raises(ValueError, match=r"until='four': stream 'a' has no stage 'four'; its stages are \['one'"):
        tw.share({"a": stream(), "b": stream()}, until="four")
    other = Stream(Net(), {"one": ("one", "two"), "two": ("three", "last")})
    with pytest.raises(ValueError, match=r"\('two', 'two'\) against \('one', 'two'\)"):
        tw.share({"a": stream(), "b": other}, until="two")


class Positions(nn.Module):
    """A parameter that hangs on the network itself, used before the split."""

    def __init__(self) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.randn(3, 6, 6))
        self.one = nn.Conv2d(3, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.one(x + self.position)
        return out


def _embed(net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
    return x + net.get_parameter("position")


def test_parameters_of_the_network_itself_are_shared_where_a_stage_names_it() -> None:
    def positions() -> Stream:
        return Stream(Positions(), {"embed": tw.Step(_embed, ("",)), "one": ("one",)})

    net = tw.share({"a": positions(), "b": positions()}, until="embed")
    a, b = net.stream("a").net, net.stream("b").net
    assert b.position is a.position and b.one is not a.one


@pytest.mark.parametrize(
    "build",
    [
        lambda: deeplab_vgg16(3, head=part(LargeFOV, hidden=8), batch_norm=False),
        lambda: deeplab_resnet(3),
        lambda: fcn32s_alexnet(3, hidden=8),
    ],
    ids=["vgg16", "resnet18", "alexnet"],
)
def test_real_networks_at_every_stage(build) -> None:
    """At each stage: as many parameters as two networks less the trunk, and a gradient for every one of them."""
    with torch.device("meta"):
        streams = {name: tw.as_stream(build()) for name in "ab"}
    one, shared = count(streams["a"]), 0
    for stage in streams["a"].stages:
        shared += sum(count(streams["a"].net.get_submodule(path)) for path in streams["a"].modules_of(stage))
        net = tw.share(streams, until=stage)
        assert count(net) == 2 * one - shared, stage
        with torch.no_grad():
            outputs = net.eval()(torch.empty(1, 3, 64, 64, device="meta"))
        assert outputs["a"].shape == outputs["b"].shape


def test_shares_of_the_papers() -> None:
    """Kawakami's Share 1 ... 4 share 2, 4, 7 and 10 convolutions; Misra's splits share what is below the name."""
    with torch.device("meta"):
        vgg = {name: tw.as_stream(deeplab_vgg16(3, batch_norm=False)) for name in "ab"}
        alexnet = {name: tw.as_stream(fcn32s_alexnet(3)) for name in "ab"}

    def common_convs(net: tw.Connected) -> int:
        own = {id(m) for m in net.stream("a").modules()}
        return sum(isinstance(m, nn.Conv2d) and id(m) in own for m in net.stream("b").modules())

    assert [common_convs(tw.share(vgg, until=f"pool{k}")) for k in (1, 2, 3, 4)] == [2, 4, 7, 10]
    splits = {"conv2": "pool1", "conv3": "pool2", "conv4": "conv3", "conv5": "conv4", "fc6": "pool5", "fc7": "fc6"}
    assert [common_convs(tw.share(alexnet, until=until)) for until in splits.values()] == [1, 2, 3, 4, 5, 6]


def test_a_shared_transformer_counts_its_embedding_once() -> None:
    import timm

    nets = {name: timm.create_model("test_vit", img_size=32, num_classes=3) for name in ("a", "b")}
    net = tw.share({name: tw.as_stream(vit) for name, vit in nets.items()}, until="blocks.1")
    alone = sum(p.numel() for p in nets["a"].parameters())
    later = ("blocks.2", "blocks.3", "blocks.4", "blocks.5", "norm.", "head.")
    above = sum(p.numel() for name, p in nets["a"].named_parameters() if name.startswith(later))
    assert sum(p.numel() for p in net.parameters()) == alone + above
