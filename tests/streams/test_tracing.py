"""trace_stream: what it finds, that it agrees with hooks under a unit that changes features, and what it refuses."""

import copy
import pickle

import pytest
import timm
import torch
import torchvision
from streams.nets import Skipping, UNet, torchvision_densenet
from torch import Tensor, nn
from torch.nn import functional as F

import taskweave as tw

X = torch.rand(2, 3, 32, 32) - 0.5


class Changed(tw.Unit):
    """A unit for one stream whose output nobody can take for its input."""

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return [change(features[0])]


def change(x: Tensor) -> Tensor:
    return 0.5 * x.flip(1) - x.roll(1, dims=-1)


CASES = {
    "unet": (lambda: UNet(), ["down1", "down2", "up1"]),
    "skips": (lambda: Skipping(), ["a", "b", "c"]),
    "densenet": (torchvision_densenet, ["features.pool0", "features.denseblock1", "features.transition2"]),
    "regnet": (lambda: timm.create_model("regnetx_002", num_classes=3), ["stem", "s1", "s2.b1", "s3", "head"]),
    "mobilenetv3": (
        lambda: timm.create_model("mobilenetv3_small_050", num_classes=3),
        ["blocks.0", "blocks.2", "blocks.4"],
    ),
    "vit": (lambda: timm.create_model("test_vit", img_size=32, num_classes=3), ["blocks.0", "blocks.3", "norm"]),
    "resnet blocks": (lambda: torchvision.models.resnet18(num_classes=3), ["maxpool", "layer1.0", "layer1", "layer3.0"]),
    "fcn": (
        lambda: torchvision.models.segmentation.fcn_resnet50(weights=None, weights_backbone=None, num_classes=2),
        ["backbone.layer1", "backbone.layer2", "classifier.2"],
    ),
}


def with_hooks(net: nn.Module, stages: list[str], x: Tensor):
    """The network untouched, every named module's output changed as it leaves."""
    handles = [
        net.get_submodule(stage).register_forward_hook(lambda module, args, output: change(output)) for stage in stages
    ]
    try:
        with torch.no_grad():
            return net(x)
    finally:
        for handle in handles:
            handle.remove()


def maps(output) -> dict[str, Tensor]:
    return output if isinstance(output, dict) else {"out": output}


@pytest.mark.parametrize("name", CASES)
def test_traced_stages_agree_with_hooks_under_a_unit(name: str) -> None:
    build, stages = CASES[name]
    net = build().eval()
    stream = tw.trace_stream(net, stages=stages, example=X)
    assert list(stream.stages) == stages and stream.net is net
    connected = tw.Connected({"a": stream}, [tw.Connection({"a": stage}, Changed([])) for stage in stages]).eval()
    with torch.no_grad():
        fused, alone = maps(connected(X)["a"]), maps(net(X))
    hooked = maps(with_hooks(net, stages, X))
    for key, output in hooked.items():
        assert torch.equal(fused[key], output)
        assert not torch.allclose(output, alone[key]), "the unit changes nothing here"


def test_functional_dropout_follows_the_mode() -> None:
    net = timm.create_model("test_resnet", num_classes=3, drop_rate=0.5)
    stream = tw.trace_stream(net, stages=["layer2"], example=X)
    for mode in (True, False, True):
        stream.train(mode)
        torch.manual_seed(1)
        first = stream(X)
        torch.manual_seed(1)
        again = stream.net(X)
        assert torch.equal(first, again)
        assert torch.equal(first, stream(X)) is not mode


def test_tracing_leaves_the_network_as_it_was() -> None:
    net = UNet().train()
    net.down1.eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.get_rng_state()
    tw.trace_stream(net, stages=["down1", "down2"], example=X)
    assert list(before) == list(net.state_dict())
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert net.training and net.up1.training and not net.down1.training
    assert torch.equal(state, torch.get_rng_state())


def test_a_batch_of_one_is_enough() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 32), nn.BatchNorm2d(4), nn.ReLU())  # batch norm refuses one value per channel
    assert list(tw.trace_stream(net, stages=["0"], example=X[:1]).stages) == ["0"]


def test_modules_of_a_stage_are_those_that_it_runs() -> None:
    stream = tw.trace_stream(UNet(), stages=["down1", "up1"], example=X, head=["head"])
    assert stream.modules_of("down1") == ("down1",) and stream.modules_of("up1") == ("down2", "up1")
    assert stream.last_weight("up1") is stream.net.up1.weight
    assert stream.head == ("head",)


def test_copies_and_pickles_compute_with_their_own_network() -> None:
    stream = tw.trace_stream(Skipping(), stages=["a", "b"], example=X)
    for twin in (copy.deepcopy(stream), pickle.loads(pickle.dumps(stream))):
        nn.init.zeros_(stream.net.a.weight)
        assert not torch.equal(stream(X), twin(X))
        assert torch.equal(twin(X), twin.net(X))


def test_a_stage_can_be_read() -> None:
    stream = tw.trace_stream(Skipping(), stages=["a", "b"], example=X)
    text = str(stream.stages["b"].run.programs.evaluating)
    assert "b(Ref(name='a'))" in text and "return" in text


def test_shared_trunk_forks_what_a_trace_remembers() -> None:
    one, other = (tw.trace_stream(Skipping(), stages=["a", "b"], example=X) for _ in range(2))
    other.net.a.load_state_dict(one.net.a.state_dict())
    outputs = tw.Connected({"one": one, "other": other}, trunk="a")(X)
    assert torch.equal(outputs["one"], one.net(X)) and torch.equal(outputs["other"], other.net(X))


def test_no_shapes_proof_without_data() -> None:
    with torch.device("meta"):
        net = Skipping()
    stream = tw.trace_stream(net, stages=["a", "b"], example=X)
    assert stream.shapes(X)["b"].sizes == (4, 30, 30)


# ---- what is refused


def refused(net: nn.Module, stages: list[str], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        tw.trace_stream(net, stages=stages, example=X)


def test_unknown_stage_lists_what_there_is() -> None:
    refused(UNet(), ["down3"], r"UNet has no submodule 'down3' \(did you mean .*'down2'.*\?\); it has \['down1', 'down1.0'")


def test_no_stage_and_a_stage_twice() -> None:
    refused(UNet(), [], "needs at least one stage")
    refused(UNet(), ["up1", "up1"], "named twice")


def test_wrong_order_names_the_right_one() -> None:
    refused(UNet(), ["up1", "down1"], r"runs these stages in the order \['down1', 'up1'\], not \['up1', 'down1'\]")
    refused(torchvision.models.resnet18(), ["layer1", "layer1.0"], r"in the order \['layer1.0', 'layer1'\]")


def test_two_names_for_one_place() -> None:
    refused(torchvision.models.resnet18(), ["layer1.1", "layer1"], "'layer1.1' and 'layer1' end at the same place")


def test_cut_before_an_in_place_activation() -> None:
    refused(torchvision.models.resnet18(), ["bn1", "layer1"], "overwrites in place the feature remembered for 'bn1'")


class Odd(nn.Module):
    """Run twice, tuples, decisions on values, numbers drawn while tracing, tensors made outside the stages."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.a, self.b = how, nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.pair = Pair()

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        if self.how == "twice":
            x = self.a(x)
        if self.how == "value" and x.sum() > 0:
            x = x + 1
        if self.how == "tuple":
            x = self.pair(x)[0]
        if self.how == "constant":
            x = x * torch.tensor(2.0)
        if self.how == "draws" and self.training:
            x = x * float(torch.rand(()))
        return self.b(x)


class Pair(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


def test_what_a_trace_cannot_follow() -> None:
    refused(Odd("value"), ["a"], r"fx cannot follow the forward of Odd around the stages \['a'\].*Write Stream")
    refused(Odd("twice"), ["a"], "Odd runs 'a' 2 times; a stage is run exactly once")
    refused(Odd(""), ["pair"], "Odd runs 'pair' 0 times")
    refused(Odd("tuple"), ["pair"], "stage 'pair' of Odd gives a tuple; a stage gives one tensor")
    refused(Odd("draws"), ["a"], "in train mode the traced stages .* do not compute what the network computes")


def test_a_tensor_made_outside_the_stages_is_refused_not_stored_in_the_network() -> None:
    net = Odd("constant")
    before = list(vars(net))
    refused(net, ["a"], "a tensor is made from constants outside the stages")
    assert list(vars(net)) == before


def test_what_lies_within_a_stage_need_not_be_traceable() -> None:
    net = nn.Sequential(nn.Conv2d(3, 3, 1), Odd("value"), nn.Conv2d(3, 3, 1))
    stream = tw.trace_stream(net, stages=["0", "1"], example=X)
    assert torch.equal(stream(X), net(X))


def test_dropout_outside_the_stages_in_a_part_that_stays_in_eval() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.b(F.dropout(self.a(x), 0.5, training=self.training))

    stream = tw.trace_stream(Two(), stages=["a"], example=X).eval()
    assert torch.equal(stream(X), stream(X))
