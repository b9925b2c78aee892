"""Proposals from a trained region proposal network, for networks that look at regions."""

from __future__ import annotations

import torch
from torch import Tensor

from taskweave.data.dataset import LabelledSet
from taskweave.data.transforms.augmentation import resize
from taskweave.heads.anchors import proposals_of
from taskweave.heads.layers import AnchorOutputs
from taskweave.images import IMAGENET, ImageStatistics
from taskweave.streams.stream import evaluating
from taskweave.weaving.connected import Connected


@torch.no_grad()
def propose(
    net: Connected,
    dataset: LabelledSet,
    *,
    stream: str = "detection",
    size: tuple[int, int] | None = None,
    count: int = 300,
    nms: float = 0.7,
    statistics: ImageStatistics = IMAGENET,
) -> dict[str, Tensor]:
    """{key: (p, 4) boxes in the pixels of the data set's image, the surest first}, p <= `count`: see `proposals_of`.

    Only the images are looked at, no label: the proposals serve to train and to measure. Store them with
    `taskweave.data.write_proposals`; recipes read them as {kind: file}.

    net: one of its streams ends in a region proposal network (`rpn_vgg16`); others run as far as they are linked to it.
    size: (H, W) into which images are fitted at their own aspect before the network sees them, e.g. that of its training;
        None for their own.
    statistics: how images become its input, as in its training.
    Raises ValueError for a stream that does not propose boxes, as it has no anchors.
    """
    found = {}
    with evaluating(net):
        for index in range(len(dataset)):
            image = dataset[index]["image"]
            height, width = int(image.shape[-2]), int(image.shape[-1])
            seen = (height, width) if size is None else _fitting((height, width), size)
            x = statistics.normalise(resize(image, seen)[None].as_subclass(Tensor))
            output = net(x.to(next(net.parameters()).device), tasks=(stream,))[stream]
            if not isinstance(output, AnchorOutputs):
                raise ValueError(
                    f"stream {stream!r} gives {type(output).__name__}, expected AnchorOutputs, as rpn_vgg16 gives; name "
                    f"the stream of such a network; the streams are {list(net.streams)}"
                )
            (boxes,) = proposals_of(output, seen, count=count, nms=nms)
            scale = torch.tensor([width / seen[1], height / seen[0]]).repeat(2)
            found[dataset.key(index)] = boxes.cpu() * scale
    return found


def _fitting(image: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """The largest size of `image`'s aspect within `size`."""
    scale = min(size[0] / image[0], size[1] / image[1])
    return max(1, round(image[0] * scale)), max(1, round(image[1] * scale))
