"""A region proposal network's head, which may be the whole detector."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from taskweave.heads.anchors import Anchors
from taskweave.heads.boxes import decode_boxes
from taskweave.heads.convolution import ConvReLU
from taskweave.heads.outputs import AnchorOutputs


@final
class AnchorHead(nn.Module):
    """3x3 convolution, then class scores and box differences of every anchor; (B, in_channels, h, w) -> AnchorOutputs.

    classes: without background, which is class 0 of the output.  stride: of the feature, in pixels.
    New layers start from N(0, .01), biases 0.
    Source: Ren et al., Faster R-CNN (NeurIPS 2015), section 3.1. Their two scores, object or not, are classes=1.
    """

    def __init__(self, in_channels: int, classes: int, *, anchors: Anchors, stride: int, hidden: int = 512) -> None:
        super().__init__()
        if classes < 1:
            raise ValueError(f"a detector needs at least one class, background not counted, got {classes}")
        self.anchors = anchors
        self.stride = stride
        self.classes = classes
        self.conv = ConvReLU(in_channels, hidden, kernel_size=3)
        self.logits = nn.Conv2d(hidden, anchors.count * (classes + 1), 1)
        self.deltas = nn.Conv2d(hidden, anchors.count * 4, 1)
        for layer in (self.conv.conv, self.logits, self.deltas):
            nn.init.normal_(layer.weight, std=0.01)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> AnchorOutputs:
        x = self.conv(x)
        anchors = self.anchors.on_grid((x.shape[-2], x.shape[-1]), self.stride, x.device)
        return AnchorOutputs(_by_anchor(self.logits(x), self.classes + 1), _by_anchor(self.deltas(x), 4), anchors)


def _by_anchor(x: Tensor, values: int) -> Tensor:
    """(B, count * values, h, w) -> (B, h w count, values), in the order of `Anchors.on_grid`."""
    return x.permute(0, 2, 3, 1).reshape(len(x), -1, values)


def proposals_of(
    output: AnchorOutputs, size: tuple[int, int], *, count: int = 300, nms: float = 0.7, before: int = 2000
) -> list[Tensor]:
    """Label-free proposals, (p, 4) with p <= `count` per image of `size` (H, W), the surest first.

    An anchor's score is one minus its probability of background. The `before` best are clipped to the image, those less
    than a pixel wide or high left out, and those that overlap a better one by more than `nms` (IoU) suppressed.
    """
    from torchvision.ops import clip_boxes_to_image, remove_small_boxes
    from torchvision.ops import nms as suppress

    scores = 1 - output.logits.float().softmax(-1)[..., 0]
    boxes = clip_boxes_to_image(decode_boxes(output.deltas, output.anchors), size)
    proposals = []
    for of_image, score in zip(boxes, scores, strict=True):
        best = score.argsort(descending=True, stable=True)[:before]
        best = best[remove_small_boxes(of_image[best], 1.0)]
        kept = best[suppress(of_image[best], score[best].to(of_image.dtype), nms)][:count]
        proposals.append(of_image[kept].detach())
    return proposals
