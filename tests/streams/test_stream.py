"""A stream written by hand: what it refuses, and what proving and measuring it leave behind."""

import pytest
import timm
import torch
from torch import Tensor, nn

from taskweave.streams.stream import Memory, Step, Stream, evaluating, same


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.norm, self.act = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU(inplace=True)
        self.b, self.head = nn.Conv2d(4, 4, 3, padding=1), nn.Linear(4, 2)
        nn.init.constant_(self.norm.bias, 0.3)  # a fresh batch norm in eval mode commutes with ReLU

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.b(self.act(self.norm(self.a(x)))).mean((2, 3)))


def read_out(net: nn.Module, memory: Memory) -> Tensor:
    return net.head(memory["b"].mean((2, 3)))


def good(net: nn.Module) -> Stream:
    return Stream(net, {"a": ["a", "norm", "act"], "b": ["b"]}, exit=read_out, head=["head"])


X = torch.rand(2, 3, 6, 5) - 0.5


def test_needs_a_stage() -> None:
    with pytest.raises(ValueError, match="Net needs at least one stage"):
        Stream(Net(), {})


@pytest.mark.parametrize("kind", ["list", "step", "head"])
def test_names_a_submodule_that_is_missing_and_those_there_are(kind: str) -> None:
    step = Step(lambda net, x, memory: x, ("conv9",))
    stages = {"list": {"s": ["conv9"]}, "step": {"s": step}, "head": {"s": ["a"]}}[kind]
    with pytest.raises(ValueError, match=r"'conv9', which Net does not have; its children are \['a', 'norm'"):
        Stream(Net(), stages, head=["conv9"] if kind == "head" else [])


def test_default_exit_gives_the_last_feature() -> None:
    net = Net()
    assert torch.equal(Stream(net, {"a": ["a"], "b": ["b"]})(X), net.b(net.a(X)))


def test_prove_accepts_the_network_and_leaves_it_as_it_was() -> None:
    net = Net().train()
    net.norm.eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    good(net).prove(X)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert net.training and net.a.training and not net.norm.training


@pytest.mark.parametrize(
    "stages",
    [
        {"b": ["a", "norm", "act"], "a": ["b"]},  # the exit reads another stage
        {"a": ["a", "act", "norm"], "b": ["b"]},  # wrong order within a stage
        {"a": ["a", "norm"], "b": ["b"]},  # a layer forgotten
    ],
)
def test_prove_refuses_another_computation(stages: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match="do not compute what the network computes; check their order"):
        Stream(Net(), stages, exit=read_out).prove(X)


def test_prove_accepts_nan_where_the_network_gives_nan() -> None:
    net = Net()
    nn.init.constant_(net.head.bias, float("nan"))
    good(net).prove(X)


def test_prove_catches_a_cut_before_an_in_place_activation() -> None:
    net = timm.create_model("resnet18", num_classes=3)
    stages = {"bn1": ["conv1", "bn1"], "layer1": ["act1", "maxpool", "layer1"], "rest": ["layer2", "layer3", "layer4"]}
    stream = Stream(net, stages, exit=lambda net, memory: net.forward_head(memory["rest"]))
    with pytest.raises(ValueError, match="stage 'layer1' of ResNet overwrites in place the feature remembered for 'bn1'"):
        stream.prove(torch.rand(1, 3, 32, 32))


def test_prove_catches_it_where_the_activation_is_a_stage_of_its_own() -> None:
    stages = {"norm": ["a", "norm"], "act": ["act"], "b": ["b"]}
    with pytest.raises(ValueError, match="stage 'act' of Net overwrites in place the feature remembered for 'norm'"):
        Stream(Net(), stages, exit=read_out).prove(X)


@pytest.mark.parametrize("inplace", [True, False])
def test_prove_catches_dropout_in_place_which_eval_mode_hides(inplace: bool) -> None:
    net = Net()
    net.act = nn.Dropout(0.5, inplace=inplace)
    stream = Stream(net, {"norm": ["a", "norm"], "b": ["act", "b"]}, exit=read_out)
    state = torch.get_rng_state()
    if inplace:
        with pytest.raises(ValueError, match="stage 'b' of Net overwrites in place the feature remembered for 'norm'"):
            stream.prove(X)
    else:
        stream.prove(X)
    assert torch.equal(state, torch.get_rng_state())
    assert net.act.training and net.norm.training


def test_prove_catches_it_in_the_exit() -> None:
    def rough(net: nn.Module, memory: Memory) -> Tensor:
        return net.head(memory["b"].mul_(2).mean((2, 3)))

    with pytest.raises(ValueError, match="the exit of Net overwrites in place the feature remembered for 'b'"):
        Stream(Net(), {"a": ["a", "norm", "act"], "b": ["b"]}, exit=rough).prove(X)


def test_prove_refuses_a_stage_that_gives_no_tensor() -> None:
    class Pair(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x, x

    with pytest.raises(ValueError, match="stage 'pair' of Sequential gives a tuple; a stage gives one tensor"):
        Stream(nn.Sequential(Pair()), {"pair": ["0"]}).prove(X)


def test_prove_takes_a_tuple_as_several_arguments() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Conv2d(3, 4, 1)

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.a(x + y)

    def add(net: nn.Module, inputs: tuple[Tensor, Tensor], memory: Memory) -> Tensor:
        return inputs[0] + inputs[1]

    Stream(Two(), {"a": ["a"]}, enter=add).prove((X, 2 * X))


def test_shapes_need_no_data_and_leave_none_behind() -> None:
    class Caching(nn.Module):
        """Keeps what it last saw, as detectors keep anchors."""

        seen: Tensor | None = None

        def forward(self, x: Tensor) -> Tensor:
            self.seen = x
            return x[:, :2]

    net = nn.Sequential(nn.Conv2d(3, 4, 1), Caching())
    shapes = Stream(net, {"conv": ["0"], "half": ["1"]}).shapes(X)
    assert [str(shape) for shape in shapes.values()] == ["(B, C=4, 6, 5)", "(B, C=2, 6, 5)"]
    assert net[1].seen is None


def test_shapes_of_a_network_without_data() -> None:
    with torch.device("meta"):
        net = Net()
    assert [shape.sizes for shape in good(net).shapes(X).values()] == [(4, 6, 5), (4, 6, 5)]


def test_channel_axis_is_the_streams_to_say() -> None:
    class ChannelsLast(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.permute(0, 2, 3, 1)

    stream = Stream(nn.Sequential(ChannelsLast()), {"s": ["0"]}, channel_axis=3)
    assert stream.shapes(X)["s"].channels == 3 and stream.shapes(X)["s"].extent == (6, 5)


def test_last_weight_is_the_last_layer_that_runs() -> None:
    net = Net()
    stream = Stream(net, {"none": ["act"], "two": ["a", "norm", "b"], "after": ["act"]})
    assert stream.last_weight("two") is net.b.weight
    assert stream.last_weight("after") is net.b.weight, "a stage that only pools continues the layer before it"
    with pytest.raises(ValueError, match="up to stage 'none' Net runs no convolution or linear layer"):
        stream.last_weight("none")


def test_a_step_runs_with_its_network_and_memory() -> None:
    def skip(net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
        return net.b(x) + memory["a"]

    net = Net()
    out = Stream(net, {"a": ["a"], "b": Step(skip, ("b",))})(X)
    assert torch.equal(out, net.b(net.a(X)) + net.a(X))


def test_evaluating_restores_after_an_error() -> None:
    net = Net().train()
    with pytest.raises(KeyError), evaluating(net):
        assert not net.b.training
        raise KeyError
    assert net.b.training


def test_same_is_exact() -> None:
    x = torch.tensor([1.0, float("nan")])
    assert same({"a": [x]}, {"a": (x.clone(),)})
    assert not same(x, torch.tensor([1.0 + 1e-7, float("nan")]))
    assert not same(x, torch.tensor([float("nan"), 1.0]))
    assert not same(x, x[:1]) and not same(x, x.double()) and not same([x], [x, x]) and not same({"a": x}, {"b": x})


@pytest.mark.cuda
def test_a_cpu_example_will_do_for_a_network_on_a_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    stream = good(Net().cuda())
    stream.prove(X)
    assert stream.shapes(X)["b"].sizes == (4, 6, 5)
