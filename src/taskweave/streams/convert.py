"""A network's stream by its type, without a table of names."""

from __future__ import annotations

from functools import singledispatch

from torch import nn

from taskweave.streams.stream import Stream, comes_from
from taskweave.streams.tracing import trace_children


def known_types(kind: type) -> None:
    """Import what we know of the library that a network's type comes from; nothing for other types."""
    if comes_from(kind, "timm"):
        import taskweave.streams.timm
    if comes_from(kind, "torchvision"):
        import taskweave.streams.torchvision  # noqa: F401


@singledispatch
def as_stream(net: nn.Module) -> Stream:
    """The stream of a network: timm's, torchvision's, ours, and any other that fx can follow.

    A timm network of a type that is not registered gets a stage at each feature that timm lists, a network from elsewhere
    one at each of its children; both are found by tracing.

    Stage names are the library's own words (``layer1``, ``stages.0``, ``blocks.3``) or, where it has only numbers (VGG,
    AlexNet), the papers' (``pool1``, ``fc6``). The network is kept as the object that it is.
    Further types: ``@as_stream.register`` a function from the network to its `Stream`.

    Raises:
        TypeError: Nobody registered the type, and tracing cannot follow the network.
    """
    known_types(type(net))
    found = as_stream.dispatch(type(net))
    if found is as_stream.dispatch(object):
        return _traced(net)
    return found(net)


def _traced(net: nn.Module) -> Stream:
    if comes_from(type(net), "timm"):
        from taskweave.streams.timm import trace_timm

        if listed := trace_timm(net):
            return listed
    try:
        if isinstance(net, nn.Module):
            return trace_children(net)
        why = "it is no torch.nn.Module"
    except (ValueError, RuntimeError, TypeError) as error:
        why = str(error)
    raise TypeError(
        f"no stages are known for {type(net).__name__}, and tracing finds none ({why}); write Stream(net, stages={{...}}), "
        "or let trace_stream(net, stages=[...], example=x) find them; @as_stream.register makes either known for the type"
    )
