"""A network's stream by its type, without a table of names."""

from __future__ import annotations

from functools import singledispatch
from typing import NoReturn

from torch import nn

from taskweave.streams.stream import Stream


def comes_from(kind: type, library: str) -> bool:
    """Whether a type, or one that it inherits from, is defined in a library."""
    return any(ancestor.__module__.partition(".")[0] == library for ancestor in kind.__mro__)


def known_types(kind: type) -> None:
    """Import what we know of the library that a network's type comes from; nothing for other types."""
    if comes_from(kind, "timm"):
        import taskweave.streams.timm
    if comes_from(kind, "torchvision"):
        import taskweave.streams.torchvision  # noqa: F401


@singledispatch
def as_stream(net: nn.Module) -> Stream:
    """The stream of a network whose stages are known: timm's, torchvision's and our own.

    A timm network of another type gets a stage at each feature that timm lists, found by tracing.

    Stage names are the library's own words (``layer1``, ``stages.0``, ``blocks.3``) or, where it has only numbers (VGG,
    AlexNet), the papers' (``pool1``, ``fc6``). The network is kept as the object that it is.
    Further types: ``@as_stream.register`` a function from the network to its `Stream`.

    Raises:
        TypeError: Nobody registered the type.
    """
    known_types(type(net))
    found = as_stream.dispatch(type(net))
    if found is as_stream.dispatch(object):
        return _traced(net) or _refuse(net)
    return found(net)


def _traced(net: nn.Module) -> Stream | None:
    if not comes_from(type(net), "timm"):
        return None
    from taskweave.streams.timm import trace_timm

    return trace_timm(net)


def _refuse(net: object) -> NoReturn:
    raise TypeError(
        f"no stages are known for {type(net).__name__}; write Stream(net, stages={{...}}), or let "
        "trace_stream(net, stages=[...], example=x) find them; @as_stream.register makes either known for the type"
    )
