"""Hard sharing: one trunk for all streams, own layers above it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from taskweave.streams.stream import Stream
from taskweave.units.unit import Identity, Unit
from taskweave.weaving.connect import UnitFactory, connect
from taskweave.weaving.connected import Connected
from taskweave.weaving.plan import Connection, Place, require_streams


def share(
    streams: Mapping[str, Stream],
    *,
    until: str,
    trunk: str | None = None,
    at: Sequence[str | Place] = (),
    unit: UnitFactory | Unit | None = None,
    example: Any = None,
    gather: Sequence[UnitFactory] = (),
) -> Connected:
    """One network whose streams share every layer up to the stage `until`, it included, and go on alone.

    The trunk runs once per call and its gradient is the sum of the tasks' gradients. Stream `trunk` keeps its own
    network, the object that was given; every other stream is a copy whose layers up to `until` ARE the trunk's, so
    parameters are counted once while each stream's state_dict stays complete and in single-task form.

    The papers' words:
    - "Split s" (Misra et al., CVPR 2016, figure 2) splits *at* s. Section 3.1 calls splitting at the lowest layer two
      separate networks, so s is the first layer that is not shared: on `fcn32s_alexnet` Split conv2 = until="pool1",
      conv3 = "pool2", conv4 = "conv3", conv5 = "conv4", fc6 = "pool5", fc7 = "fc6", and the shared end (only the
      two last layers own) = "fc7". Who reads "splitting at conv4" as conv4 still shared takes until="conv4".
    - "Share k" (Kawakami et al., section 3) shares "up to the k-th pooling layer": 2, 4, 7 and 10 convolutions of
      VGG-16, so until=f"pool{k}"; until "conv1_2", "conv2_2", "conv3_3", "conv4_3" shares the same parameters.

    Args:
        streams: By name; the same architecture up to `until`.
        until: The last shared stage.
        trunk: The stream whose weights the trunk starts from and keeps (default: the first).
        at: Where streams meet after the split, as in `connect`. Without a unit nothing meets, and each stream gathers all
            stages of `at`, those in the trunk too: the shortcut of a shared network, whose last stage is `until` or behind.
        unit: As in `connect`.
        example: As in `connect`.
        gather: As in `connect`.

    Raises:
        ValueError: A stage is unknown (what there is is listed), or streams differ below it.
        TypeError: A value of `streams` is not a Stream.
    """
    require_streams(streams)
    leader = next(iter(streams)) if trunk is None else trunk
    if leader not in streams:
        raise ValueError(f"trunk={leader!r} is not a stream; the streams are {list(streams)}")
    paths = {name: _trunk_paths(name, stream, until) for name, stream in streams.items()}
    for name in streams:
        _check_equal((leader, streams[leader], paths[leader]), (name, streams[name], paths[name]))
    shared = {
        name: stream if name == leader else _on_trunk(stream, streams[leader], paths[leader])
        for name, stream in streams.items()
    }
    connections: list[Connection] = []
    if at or gather:
        if example is None or (unit is None and not gather):
            raise ValueError("connections after the split need unit= and example=, as in connect")
        if unit is None:
            _check_gathering(shared, at, until)
        connected = connect(shared, at, Identity if unit is None else unit, example=example, gather=gather)
        made = list(connected.connections)
        connections = made if unit is not None else [connection for connection in made if connection.gathers]
    return Connected(shared, connections, trunk=until)


def _check_gathering(streams: Mapping[str, Stream], at: Sequence[str | Place], until: str) -> None:
    """Raise ValueError where a stream gathers last at a stage that it has passed when it leaves the trunk."""
    for name, stream in streams.items():
        order = list(stream.stages)
        met = [place if isinstance(place, str) else place[name] for place in at if isinstance(place, str) or name in place]
        last = met[-1] if met else until
        if last in order and order.index(str(last)) < order.index(until):
            raise ValueError(
                f"{name!r} gathers up to {last!r}, inside the trunk, which goes up to {until!r}; end `at` there or later"
            )


def _trunk_paths(name: str, stream: Stream, until: str) -> list[tuple[str, str]]:
    """(stage, submodule path) of everything that runs up to `until`."""
    order = list(stream.stages)
    if until not in order:
        raise ValueError(f"until={until!r}: stream {name!r} has no stage {until!r}; its stages are {order}")
    return [(stage, path) for stage in order[: order.index(until) + 1] for path in stream.modules_of(stage)]


_Side = tuple[str, Stream, list[tuple[str, str]]]


def _check_equal(one: _Side, other: _Side) -> None:
    """Raise ValueError unless both streams run the same modules, of the same shapes, in the same stages."""
    (a, stream_a, paths_a), (b, stream_b, paths_b) = one, other
    refusal = f"share needs one architecture up to the shared stage, but streams {a!r} and {b!r} differ"
    if paths_a != paths_b:
        first = next((pair for pair in zip(paths_a, paths_b, strict=False) if pair[0] != pair[1]), (paths_a, paths_b))
        raise ValueError(f"{refusal}: (stage, module) {first[0]} against {first[1]}")
    for stage, path in paths_a:
        mine, theirs = stream_a.net.get_submodule(path), stream_b.net.get_submodule(path)
        shapes = [{key: tuple(value.shape) for key, value in m.state_dict().items()} for m in (mine, theirs)]
        if type(mine) is not type(theirs) or shapes[0] != shapes[1] or (path and str(mine) != str(theirs)):
            raise ValueError(f"{refusal} at stage {stage!r}: {path!r} is {_brief(mine)} against {_brief(theirs)}")


def _brief(module: nn.Module) -> str:
    text = " ".join(str(module).split())
    return text if len(text) < 200 else f"{text[:200]}..."


def _on_trunk(stream: Stream, leader: Stream, paths: list[tuple[str, str]]) -> Stream:
    """A copy of `stream` in which the modules at `paths` are the leader's own."""
    swapped: dict[int, Any] = {}
    for _, path in paths:
        mine, trunks = stream.net.get_submodule(path), leader.net.get_submodule(path)
        if path:
            swapped[id(mine)] = trunks
        # an empty path names the parameters that hang on the network itself (position embeddings)
        for own, common in zip(_tensors(mine, whole=bool(path)), _tensors(trunks, whole=bool(path)), strict=True):
            swapped[id(own)] = common
    return copy.deepcopy(stream, swapped)  # deepcopy hands out what it finds in its memo instead of copying


def _tensors(module: nn.Module, *, whole: bool) -> list[Any]:
    return [*module.parameters(recurse=whole), *module.buffers(recurse=whole)]
