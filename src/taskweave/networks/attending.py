"""What attention masks look at."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from taskweave.streams.stream import evaluating
from taskweave.units.attention import Attention
from taskweave.weaving.connected import Connected


@torch.no_grad()
def attention_masks(net: Connected, images: Any) -> dict[str, list[Tensor]]:
    """Return each stream's attention masks in the order they are computed, e.g. one per decoder block of `mt_unet`.

    The network runs in eval mode.

    Args:
        images: The network's input, (B, 3, H, W), normalised (``net.statistics.normalise``).

    Returns:
        {stream: masks}. A mask is (B, C, h, w), with C = 1 for an `Attention` with per="pixel"; its values are in [0, 1]
        unless its norm comes after the activations. A stream without attention has an empty list.

    Raises:
        ValueError: The network has no `Attention`.
    """
    found: dict[str, list[Tensor]] = {name: [] for name in net.streams}
    owners: dict[Attention, list[str]] = {}
    for name in found:
        for unit in _attentions(net, name):
            owners.setdefault(unit, []).append(name)
    if not owners:
        raise ValueError(
            f"attention_masks: no stream of {list(found)} has an Attention; build the network with attention=True"
        )
    with ExitStack() as stack:
        for unit, names in owners.items():
            stack.callback(unit.mask.register_forward_hook(_keep_in([found[name] for name in names])).remove)
        stack.enter_context(evaluating(net))
        net(images)
    return found


def _attentions(net: Connected, name: str) -> list[Attention]:
    """Those in a stream, and those that gather its stages at a connection."""
    connections = list(net.connections)
    places: list[nn.Module] = [net.stream(name), *(connection for connection in connections if name in connection.at)]
    return [module for place in places for module in place.modules() if isinstance(module, Attention)]


def _keep_in(lists: list[list[Tensor]]) -> Callable[[nn.Module, Any, Tensor], None]:
    def keep(module: nn.Module, args: Any, mask: Tensor) -> None:
        for one in lists:
            one.append(mask)

    return keep
