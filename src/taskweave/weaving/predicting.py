"""What a connected network predicts for anybody's picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from taskweave.images import IMAGENET, ImageStatistics
from taskweave.streams.stream import evaluating
from taskweave.weaving.connected import Connected


class Decoder(Protocol):
    """What turns a stream's raw output into a prediction at a size; every task is one."""

    def decode(self, output: Any, size: tuple[int, int]) -> Any: ...


@torch.no_grad()
def predict(
    net: Connected, tasks: Mapping[str, Decoder], image: Tensor, *, statistics: ImageStatistics = IMAGENET
) -> dict[str, Any]:
    """Decode a network's outputs for a picture, at the picture's own size, in eval mode.

    Args:
        net: The network; its modes are put back.
        tasks: {stream: task}, of every stream.
        image: RGB (3, H, W) or (B, 3, H, W), uint8 in 0..255 or float in [0, 1].
        statistics: How a picture becomes network input: as in the network's training.

    Returns:
        {stream: prediction}; of a single picture single predictions.

    Raises:
        ValueError: A stream has no task, or the picture is of another shape.
    """
    if missing := [name for name in net.streams if name not in tasks]:
        raise ValueError(f"predict needs a task to decode {missing} with; got tasks for {list(tasks)}")
    if image.ndim not in (3, 4) or image.shape[-3] != 3:
        raise ValueError(f"predict takes RGB (3, H, W) or (B, 3, H, W), got {tuple(image.shape)}")
    batch = image if image.ndim == 4 else image[None]
    like = next(net.parameters(), batch)
    with evaluating(net):
        outputs = net(statistics.normalise(batch).to(like.device))
    size = (int(batch.shape[-2]), int(batch.shape[-1]))
    decoded = {name: tasks[name].decode(output, size) for name, output in outputs.items()}
    return decoded if image.ndim == 4 else {name: value[0] for name, value in decoded.items()}
