"""What every stream must keep. A new one joins by one line in test_stream_contract.py."""

import copy
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

import taskweave as tw
from taskweave.streams.stream import Memory, Stream


def picture(batch: int = 2, size: int = 64) -> Tensor:
    return torch.rand(batch, 3, size, size) - 0.5


@dataclass(frozen=True)
class StreamCase:
    """build: a fresh network, small enough for a test.  example: an input for both modes; a tuple is several arguments."""

    name: str
    build: Callable[[], nn.Module]
    example: Callable[[], Any] = picture
    convert: Callable[[nn.Module], Stream] = tw.as_stream

    def __str__(self) -> str:
        return self.name

    def stream(self) -> Stream:
        return self.convert(self.build())


def assert_equal(a: Any, b: Any) -> None:
    """Exact equality of tensors in dicts, lists and tuples, keys in the same order."""
    if isinstance(a, Tensor):
        torch.testing.assert_close(a, b, rtol=0, atol=0, equal_nan=True)
    elif isinstance(a, Mapping):
        assert list(a) == list(b)
        for key in a:
            assert_equal(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_equal(x, y)
    else:
        assert a == b


def call(net: nn.Module, example: Any) -> Any:
    """A network on an example; the same random numbers at every call."""
    torch.manual_seed(7)
    return net(*example) if isinstance(example, tuple) else net(example)


def assert_is_network(stream: Stream, example: Any, *, training: bool) -> None:
    """The output is exactly the network's, and so are the running statistics after it."""
    plain = copy.deepcopy(stream.net).train(training)
    twin = copy.deepcopy(stream).train(training)
    with torch.no_grad():
        expected = call(plain, example)
        torch.manual_seed(7)
        output = twin(example)
    assert_equal(expected, output)
    assert_equal(dict(plain.state_dict()), dict(twin.net.state_dict()))


def walked(stream: Stream, example: Any) -> tuple[Memory, dict[str, Tensor]]:
    """What memory holds after a whole run, and a copy of every feature made when its stage had just ended."""
    memory: Memory = {}
    copies: dict[str, Tensor] = {}
    with torch.no_grad():
        x = stream.enter(stream.net, example, memory)
        for stage in stream.stages:
            x = memory[stage] = stream.run(stage, x, memory)
            copies[stage] = x.clone()
        stream.exit(stream.net, memory)
    return memory, copies


def assert_features_stay(stream: Stream, example: Any, *, training: bool) -> None:
    """No stage, and not the exit, changes a feature that memory keeps."""
    memory, copies = walked(copy.deepcopy(stream).train(training), example)
    for stage, feature in copies.items():
        assert torch.equal(memory[stage], feature), f"{stage} is overwritten after it ended"


def assert_shapes_agree(stream: Stream, example: Any) -> None:
    """The shapes found without data are those of a real run."""
    shapes = stream.shapes(example)
    _, features = walked(copy.deepcopy(stream).eval(), example)
    assert list(shapes) == list(stream.stages)
    for stage, feature in features.items():
        assert shapes[stage].sizes == tuple(feature.shape[1:])
        assert shapes[stage].channels == feature.shape[shapes[stage].channel_axis]


def assert_checkpoint_loads(stream: Stream, trained: nn.Module, example: Any) -> None:
    """What a plain network of this kind saved loads into the stream's network, strictly, and gives its output.

    So it does before connecting and after."""
    connected = tw.Connected({"task": stream})
    for net in (stream.net, connected.stream("task").net):
        net.load_state_dict(copy.deepcopy(trained.state_dict()), strict=True)
    assert list(stream.net.state_dict()) == list(trained.state_dict())
    with torch.no_grad():
        assert_equal(call(trained.eval(), example), connected.eval()({"task": example})["task"])


def assert_copies(stream: Stream, example: Any) -> None:
    """A deep copy and a pickled one compute the same and share no parameter with the original."""
    with torch.no_grad():
        expected = stream.eval()(example)
        for twin in (copy.deepcopy(stream), pickle.loads(pickle.dumps(stream))):
            assert_equal(expected, twin(example))
            own = {p.data_ptr() for p in stream.parameters()}
            assert not own & {p.data_ptr() for p in twin.parameters()}, "the copy shares parameters with the original"


def assert_stages_hold_layers(stream: Stream) -> None:
    """The stages run modules of the network, each in one stage only, and the head is in none of them."""
    paths = [path for stage in stream.stages for path in stream.modules_of(stage)]
    # the empty path stands for the parameters that hang on the network itself
    owners = [id(p) for path in paths for p in stream.net.get_submodule(path).parameters(recurse=bool(path))]
    assert len(owners) == len(set(owners)), "two stages run the same parameters"
    head = [id(p) for path in stream.head for p in stream.net.get_submodule(path).parameters()]
    assert head, "the stream names no last layer"
    assert not set(head) & set(owners), "the last layer is within a stage"
