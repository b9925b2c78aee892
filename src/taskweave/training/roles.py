"""What part of a connected network is what: bodies of streams, heads, connections. From modules, never from names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from torch import nn

from taskweave.weaving.connected import Connected

Role = Literal["streams", "heads", "connections"]
ROLES: tuple[Role, ...] = ("streams", "heads", "connections")


def modules_by_role(net: Connected) -> dict[Role, list[nn.Module]]:
    """Every module once, in a fixed order, under its role; what is shared counts as head, else as connection."""
    found: dict[Role, list[nn.Module]] = {role: [] for role in ROLES}
    taken: set[int] = set()
    for role, module in _owners(net):
        if id(module) not in taken:
            taken.add(id(module))
            found[role].append(module)
    return found


def _owners(net: Connected) -> Iterator[tuple[Role, nn.Module]]:
    for name in net.streams:
        stream = net.stream(name)
        for path in stream.head:
            for module in stream.net.get_submodule(path).modules():
                yield "heads", module
    for connection in net.connections:
        for module in connection.modules():
            yield "connections", module
    for name in net.streams:
        for module in net.stream(name).net.modules():
            yield "streams", module


def parameters_by_role(net: Connected) -> dict[Role, list[nn.Parameter]]:
    """Every parameter once, in a fixed order, under its role."""
    found: dict[Role, list[nn.Parameter]] = {role: [] for role in ROLES}
    taken: set[int] = set()
    modules = modules_by_role(net)
    for role in ("heads", "connections", "streams"):
        for module in modules[role]:
            for parameter in module.parameters(recurse=False):
                if id(parameter) not in taken:
                    taken.add(id(parameter))
                    found[role].append(parameter)
    return found


def last_biases(net: Connected) -> set[int]:
    """The ids of the biases of the heads' convolutions and linear layers."""
    layers = [m for m in modules_by_role(net)["heads"] if isinstance(m, nn.Linear | nn.modules.conv._ConvNd)]
    return {id(layer.bias) for layer in layers if layer.bias is not None}
