"""What every network that this package builds must keep. A new network joins by one line in test_network_contract.py."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from contracts.stream_contract import assert_equal
from torch import Tensor, nn

import taskweave as tw
from taskweave.streams.stream import Stream
from taskweave.weaving.connected import Connected

CHANNELS = 5

Size = tuple[int, int]


def picture(height: int = 33, width: int = 40, batch: int = 2) -> Tensor:
    return torch.rand(batch, 3, height, width) - 0.5


def regions(height: int = 33, width: int = 40, batch: int = 2) -> tuple[Tensor, list[Tensor]]:
    """A picture and 3 regions of the first image, 2 of every other."""
    boxes = torch.tensor([[0.0, 0.0, width, height], [3.0, 5.0, 20.0, 30.0], [1.0, 2.0, 2.5, 4.0]])
    return picture(height, width, batch), [boxes if i == 0 else boxes[:2] for i in range(batch)]


def cells(size: Size, stride: int) -> Size:
    return -(-size[0] // stride), -(-size[1] // stride)


def fits_picture(output: Any, size: Size, stride: int) -> None:
    """A dense output of one image of `size`."""
    assert output.shape == (1, CHANNELS, *cells(size, stride))


def fits_classes(output: Any, size: Size, stride: int) -> None:
    """One prediction for a whole image."""
    assert output.shape == (1, CHANNELS)


def two_pictures(height: int = 33, width: int = 40, batch: int = 2) -> Tensor:
    """One more than asked for: batch norm at 1/64 of 64 pixels needs a second value."""
    return picture(height, width, batch + 1)


def fits_of_two(fits: Callable[[Any, Size, int], None]) -> Callable[[Any, Size, int], None]:
    """That the output is of two pictures, each of which fits."""

    def fits_each(output: Any, size: Size, stride: int) -> None:
        assert len(output) == 2
        fits(output[:1], size, stride)
        fits(output[1:], size, stride)

    return fits_each


def fits_anchors(output: Any, size: Size, stride: int) -> None:
    """Nine anchors a cell."""
    height, width = cells(size, stride)
    count = 9 * height * width
    assert output.logits.shape == (1, count, CHANNELS + 1)
    assert output.deltas.shape == (1, count, 4)
    assert output.anchors.shape == (count, 4)


def fits_regions(output: Any, size: Size, stride: int) -> None:
    assert output.logits.shape == (3, CHANNELS + 1)
    assert output.deltas.shape == (3, 4 * (CHANNELS + 1))


def fits_attributes(output: Any, size: Size, stride: int) -> None:
    assert output.logits.shape == (3, CHANNELS)


@dataclass(frozen=True)
class NetworkCase:
    """build: a fresh network of CHANNELS channels, small enough for a test.  stride: input size over output size.

    inputs: (height, width, batch) -> an input; a tuple is several arguments.  fits: (output, size, stride), an assertion
    for one image.  last: the channels of the last layers.
    """

    name: str
    build: Callable[[], nn.Module]
    stride: int
    places: tuple[str, ...]
    inputs: Callable[..., Any] = picture
    fits: Callable[[Any, Size, int], None] = fits_picture
    last: tuple[int, ...] = (CHANNELS,)

    def __str__(self) -> str:
        return self.name


def call(net: nn.Module, x: Any) -> Any:
    return net(*x) if isinstance(x, tuple) else net(x)


def assert_builds_without_memory(case: NetworkCase) -> None:
    """On the meta device: the same parameters, and the output of a full-size picture."""
    with torch.device("meta"):
        net = case.build()
        output = call(net.eval(), case.inputs(321, 321, 1))
    assert all(p.is_meta for p in net.parameters())
    assert {k: v.shape for k, v in net.state_dict().items()} == {k: v.shape for k, v in case.build().state_dict().items()}
    case.fits(output, (321, 321), case.stride)


def assert_any_size(case: NetworkCase) -> None:
    """Odd, even, tall and wide pictures, a batch of one; in both modes."""
    net = case.build()
    for training in (False, True):
        net.train(training)
        for size in ((64, 64), (65, 97), (80, 66)):
            with torch.no_grad():
                case.fits(call(net, case.inputs(*size, 1)), size, case.stride)


def assert_stream_is_network(stream: Stream, x: Any) -> None:
    """Exactly the network's output, in eval and in train mode, and the same running statistics after."""
    stream.prove(x)
    alone = copy.deepcopy(stream.net).train()
    stream.train()
    with torch.no_grad():
        torch.manual_seed(1)
        expected = call(alone, x)
        torch.manual_seed(1)
        assert_equal(stream(x), expected)
    for name, value in alone.state_dict().items():
        assert torch.equal(stream.net.state_dict()[name], value), name


def assert_side_by_side(net: Connected, x: Any) -> None:
    """The outputs of a connected network are, exactly, those of its networks alone."""
    net.eval()
    with torch.no_grad():
        outputs = net(x)
        for name in net.streams:
            assert_equal(outputs[name], call(net.stream(name).net, x))


def assert_compiles_and_exports(net: Connected, x: Any, *, strict: bool = True) -> None:
    """As one graph, with the outputs of the plain call.

    strict: whether the export goes by the compiler's tracing too; it takes most of the time, and compiling shows the same.
    """
    net.eval()
    with torch.no_grad():
        expected = net(x)
        torch._dynamo.reset()
        compiled = torch.compile(net, fullgraph=True, backend="eager")(x)
        exported = torch.export.export(net, (x,), strict=strict).module()(x)
    torch._dynamo.reset()
    for name, output in expected.items():
        torch.testing.assert_close(compiled[name], output)
        torch.testing.assert_close(exported[name], output)


def assert_gradient_everywhere(net: nn.Module, x: Any) -> None:
    """Every parameter gets gradient within two steps (timm's residual branches start at zero): none is unused or dead."""
    net.eval()
    idle = {name for name, _ in net.named_parameters()}
    for _ in range(2):
        net.zero_grad()
        sum(y.square().mean() for y in _learned(call(net, x))).backward()
        idle -= {name for name, p in net.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
        with torch.no_grad():
            for p in net.parameters():
                p.sub_(0.01 * torch.zeros_like(p) if p.grad is None else 0.01 * p.grad)
    assert not idle, f"no gradient reaches {sorted(idle)}"


def _learned(output: Any) -> list[Tensor]:
    """The tensors of an output that depend on parameters."""
    parts = [output] if isinstance(output, Tensor) else [part for part in output if isinstance(part, Tensor)]
    return [part for part in parts if part.requires_grad]


def assert_checkpoint_passes(build: Callable[[], nn.Module], connected: Connected, x: Any) -> None:
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
            assert_equal(connected.stream(name).eval()(x), call(plain.eval(), x))
            assert_equal(call(alone.eval(), x), call(plain, x))


def assert_copies(net: Connected, x: Any) -> None:
    """deepcopy and pickle give the same network."""
    net.eval()
    with torch.no_grad():
        expected = net(x)
        for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
            for name, output in other(x).items():
                assert_equal(output, expected[name])


def pair(case: NetworkCase, *, connected: bool = True, unit: type[tw.Unit] = tw.Identity) -> Connected:
    """Two networks with a unit at every default place, or with nothing between them."""
    streams = {"a": tw.as_stream(case.build()), "b": tw.as_stream(case.build())}
    return tw.connect(streams, at=case.places if connected else [], unit=unit, example=case.inputs())
