"""What every network that this package builds must keep. A new network joins by one line in test_network_contract.py."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

import taskweave as tw
from taskweave.networks.connected import Connected
from taskweave.streams.stream import Stream


@dataclass(frozen=True)
class NetworkCase:
    """build: a fresh network of CHANNELS channels, small enough for a test.  stride: input size over output size."""

    name: str
    build: Callable[[], nn.Module]
    stride: int
    places: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


CHANNELS = 5


def picture(height: int = 33, width: int = 40, batch: int = 2) -> Tensor:
    return torch.rand(batch, 3, height, width) - 0.5


def assert_builds_without_memory(case: NetworkCase) -> None:
    """On the meta device: the same parameters, and the output of a full-size picture."""
    with torch.device("meta"):
        net = case.build()
        output = net.eval()(torch.empty(1, 3, 321, 321))
    assert all(p.is_meta for p in net.parameters())
    assert {k: v.shape for k, v in net.state_dict().items()} == {k: v.shape for k, v in case.build().state_dict().items()}
    assert output.shape == (1, CHANNELS, -(-321 // case.stride), -(-321 // case.stride))


def assert_any_size(net: nn.Module, stride: int) -> None:
    """Odd, even, tall and wide pictures, a batch of one; in both modes."""
    for training in (False, True):
        net.train(training)
        for height, width in ((64, 64), (65, 97), (80, 66)):
            with torch.no_grad():
                output = net(picture(height, width, batch=1))
            assert output.shape == (1, CHANNELS, -(-height // stride), -(-width // stride))


def assert_stream_is_network(stream: Stream, x: Tensor) -> None:
    """Exactly the network's output, in eval and in train mode, and the same running statistics after."""
    stream.prove(x)
    alone = copy.deepcopy(stream.net).train()
    stream.train()
    with torch.no_grad():
        torch.manual_seed(1)
        expected = alone(x)
        torch.manual_seed(1)
        assert torch.equal(stream(x), expected)
    for name, value in alone.state_dict().items():
        assert torch.equal(stream.net.state_dict()[name], value), name


def assert_side_by_side(net: Connected, x: Tensor) -> None:
    """The outputs of a connected network are, exactly, those of its networks alone."""
    net.eval()
    with torch.no_grad():
        outputs = net(x)
        for name in net.streams:
            assert torch.equal(outputs[name], net.stream(name).net(x)), name


def assert_compiles_and_exports(net: Connected, x: Tensor) -> None:
    """As one graph, with the outputs of the plain call."""
    net.eval()
    with torch.no_grad():
        expected = net(x)
        torch._dynamo.reset()
        compiled = torch.compile(net, fullgraph=True, backend="eager")(x)
        exported = torch.export.export(net, (x,), strict=True).module()(x)
    torch._dynamo.reset()
    for name, output in expected.items():
        torch.testing.assert_close(compiled[name], output)
        torch.testing.assert_close(exported[name], output)


def assert_gradient_everywhere(net: nn.Module, x: Tensor) -> None:
    """Every parameter gets gradient within two steps (timm's residual branches start at zero): none is unused or dead."""
    net.eval()
    idle = {name for name, _ in net.named_parameters()}
    for _ in range(2):
        net.zero_grad()
        net(x).square().mean().backward()
        idle -= {name for name, p in net.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
        with torch.no_grad():
            for p in net.parameters():
                p.sub_(0.01 * torch.zeros_like(p) if p.grad is None else 0.01 * p.grad)
    assert not idle, f"no gradient reaches {sorted(idle)}"


def assert_checkpoint_passes(build: Callable[[], nn.Module], connected: Connected, x: Tensor) -> None:
    """The state_dict of a plainly trained network loads, strictly, into every stream of a connected one and works there."""
    plain = build()
    with torch.no_grad():
        for p in plain.parameters():
            p.add_(0.01)
    for name in connected.streams:
        connected.stream(name).net.load_state_dict(plain.state_dict())
        alone = build()
        alone.load_state_dict(connected.stream(name).net.state_dict())
        with torch.no_grad():
            assert torch.equal(connected.stream(name).eval()(x), plain.eval()(x)), name
            assert torch.equal(alone.eval()(x), plain(x)), name


def assert_copies(net: Connected, x: Tensor) -> None:
    """deepcopy and pickle give the same network."""
    net.eval()
    with torch.no_grad():
        expected = net(x)
        for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
            for name, output in other(x).items():
                assert torch.equal(output, expected[name]), name


def pair(case: NetworkCase, *, connected: bool = True, unit: type[tw.Unit] = tw.Identity) -> Connected:
    """Two networks with a unit at every default place, or with nothing between them."""
    streams = {"a": tw.as_stream(case.build()), "b": tw.as_stream(case.build())}
    return tw.connect(streams, at=case.places if connected else [], unit=unit, example=picture())
