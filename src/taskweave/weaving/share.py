"""Hard sharing: one trunk for all streams with own layers above it, or last layers with one latent matrix."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

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


_Layer = nn.Conv2d | nn.Linear


def share_latent(
    streams: Mapping[str, Stream],
    *,
    rank: int,
    layers: Mapping[str, Sequence[str]] | None = None,
) -> Connected:
    """Networks side by side whose last layers are W_t = S_t L: L (rank x D) is shared, S_t (C_t x rank) is the task's own.

    Our reading of the baseline "MTL-shared" of Misra et al. (CVPR 2016, section 6.1): they adapt Zhou et al., Learning
    to share latent tasks (ICCV 2013) and Abdulnabi et al. (IEEE Multimedia 2015), where every category is a task with a
    network of its own and W = L S with a shared L, to two tasks, and train the two networks jointly, end to end. How
    they adapted it is not printed. Here a task is one network, D = in_channels x k x k of its last layer, and the rows
    of W are its classes; the paper's dual optimisation and its sparsity penalty on S are left out.

    The start is the best one of this rank: the truncated SVD of all last layers' weights, one above the other; a rank of
    min(sum of C_t, D) or more starts as the given networks. The streams given are copied, not changed. The copies'
    state_dict is no longer the single-task one: "<last>.weight" became "<last>.latent.weight" and "<last>.own.weight".

    Args:
        streams: By name, each with `Stream.head`. A head of several layers (ASPP) gets one L per layer.
        rank: At least 1; below min(sum of C_t, D) for any sharing to take place.
        layers: {stream: the last layers to factorise}, instead of all of its head: a detector's scores but not its boxes.

    Raises:
        ValueError: A stream has no head, or the heads read features of different size.
        TypeError: A value of `streams` is not a Stream.
    """
    if rank < 1:
        raise ValueError(f"rank is the number of shared latent rows, at least 1; got {rank}")
    require_streams(streams)
    copies = {name: copy.deepcopy(stream) for name, stream in streams.items()}
    paths = {name: _last_layers(name, stream, layers) for name, stream in copies.items()}
    counts = {name: len(found) for name, found in paths.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"share_latent pairs the layers of the heads, but they have {counts} layers")
    for i in range(max(counts.values(), default=0)):
        _factorise({name: (copies[name], paths[name][i]) for name in copies}, rank)
    return Connected(copies)


def _last_layers(name: str, stream: Stream, layers: Mapping[str, Sequence[str]] | None) -> list[str]:
    """Paths of the convolutions and linear layers that make up a stream's head, or what `layers` names of it."""
    head = stream.head if layers is None else tuple(layers.get(name, ()))
    if other := [path for path in head if path not in stream.head]:
        raise ValueError(f"layers names {other} of stream {name!r}, whose last layers are {list(stream.head)}")
    inside = {id(m) for path in head for m in stream.net.get_submodule(path).modules()}
    found = [path for path, m in stream.net.named_modules() if id(m) in inside and isinstance(m, nn.Conv2d | nn.Linear)]
    if not found:
        raise ValueError(
            f"stream {name!r} of {type(stream.net).__name__} names no last layer to factorise (its head is {stream.head}); "
            "pass head=[path of its last layer] to Stream"
        )
    return found


def _factorise(places: Mapping[str, tuple[Stream, str]], rank: int) -> None:
    """Put own(latent(x)) in the place of one last layer of each stream, `latent` being one object."""
    layers = {name: _layer(stream, path) for name, (stream, path) in places.items()}
    first = next(iter(layers.values()))
    for name, layer in layers.items():
        if _geometry(layer) != _geometry(first):
            raise ValueError(
                "share_latent needs last layers that read features in the same way, but "
                f"{next(iter(layers))!r} has {first} and {name!r} has {layer}"
            )
    latent = _latent_like(first, rank)
    owns = _split([layer.weight for layer in layers.values()], latent, rank)
    for (stream, path), layer, own in zip(places.values(), layers.values(), owns, strict=True):
        stream.net.set_submodule(path, nn.Sequential(OrderedDict(latent=latent, own=_own_like(layer, own))))


def _layer(stream: Stream, path: str) -> _Layer:
    layer = stream.net.get_submodule(path)
    assert isinstance(layer, nn.Conv2d | nn.Linear)
    if isinstance(layer, nn.Conv2d) and layer.groups != 1:
        raise ValueError(f"share_latent cannot factorise the grouped convolution {path!r}: {layer}")
    return layer


def _geometry(layer: _Layer) -> tuple[object, ...]:
    """All of a layer but its outputs."""
    if isinstance(layer, nn.Linear):
        return (layer.in_features,)
    return (layer.in_channels, layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.padding_mode)


def _latent_like(layer: _Layer, rank: int) -> _Layer:
    if isinstance(layer, nn.Linear):
        return nn.Linear(layer.in_features, rank, bias=False).to(layer.weight)
    latent = nn.Conv2d(
        layer.in_channels,
        rank,
        (layer.kernel_size[0], layer.kernel_size[1]),
        stride=(layer.stride[0], layer.stride[1]),
        padding=layer.padding if isinstance(layer.padding, str) else (layer.padding[0], layer.padding[1]),
        dilation=(layer.dilation[0], layer.dilation[1]),
        bias=False,
        padding_mode=layer.padding_mode,
    )
    return latent.to(layer.weight)


def _own_like(layer: _Layer, weight: Tensor) -> _Layer:
    """S_t as a layer (C_t, rank), with the bias that the last layer had."""
    outputs, rank = weight.shape
    linear = isinstance(layer, nn.Linear)
    own: _Layer = nn.Linear(rank, outputs, bias=False) if linear else nn.Conv2d(rank, outputs, 1, bias=False)
    own.to(weight).bias = layer.bias
    with torch.no_grad():
        own.weight.copy_(weight.reshape(own.weight.shape))
    return own


@torch.no_grad()
def _split(weights: Sequence[Tensor], latent: _Layer, rank: int) -> list[Tensor]:
    """Set L from the truncated SVD of the stacked weights and return each S_t, both scaled by the root of the values.

    Rows of L beyond the stack's own rank keep their random start and are not read yet.
    """
    stacked = torch.cat([weight.flatten(1) for weight in weights])
    u, values, v = torch.linalg.svd(stacked, full_matrices=False)
    used = min(rank, values.shape[0])
    root = values[:used].sqrt()
    rows = latent.weight.flatten(1)
    rows[:used] = root[:, None] * v[:used]
    latent.weight.copy_(rows.reshape(latent.weight.shape))
    own = stacked.new_zeros(stacked.shape[0], rank)
    own[:, :used] = u[:, :used] * root
    return list(torch.split(own, [weight.shape[0] for weight in weights]))
