"""Parts of large images as samples, and the detections of parts brought back together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, final

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.ops import batched_nms
from torchvision.transforms.v2 import functional as F

from taskweave.data.boxes import area, is_box_target, tidy
from taskweave.data.dataset import DerivedSet
from taskweave.data.readers.boxes.boxes_set import BoxSet
from taskweave.data.sample import Sample

Size = tuple[int, int]


class Window(NamedTuple):
    """A part of image number `image` of a data set; pixels."""

    image: int
    top: int
    left: int
    height: int
    width: int


def tile_windows(sizes: Sequence[Size], tile: Size, *, overlap: int) -> list[Window]:
    """Windows of `tile` (H, W) that cover images of `sizes` (H, W), evenly spread, sharing at least `overlap` pixels.

    An image that is smaller than a tile, in one direction or both, is covered by one that is as long as it is there.
    """
    if min(tile) < 1 or not 0 <= overlap < min(tile):
        raise ValueError(
            f"need a tile of at least 1 x 1 and an overlap of 0 or more and less than it, got {tile}, {overlap}"
        )
    return [
        Window(image, top, left, min(tile[0], height), min(tile[1], width))
        for image, (height, width) in enumerate(sizes)
        for top in _starts(height, tile[0], overlap)
        for left in _starts(width, tile[1], overlap)
    ]


def _starts(whole: int, part: int, overlap: int) -> list[int]:
    gaps = math.ceil((whole - part) / (part - overlap))
    return [0] if gaps < 1 else [(whole - part) * step // gaps for step in range(gaps + 1)]


def right_halves(sizes: Sequence[Size]) -> list[Window]:
    """The right half of each image, as the cross-connected paper uses Kinki's: 2808 x 3744 of 5616 x 3744 pixels."""
    return [Window(image, 0, width // 2, height, width - width // 2) for image, (height, width) in enumerate(sizes)]


@final
class Windowed(DerivedSet):
    """The `windows` of the images of `dataset`, each a sample of its own, in the order given.

    Its targets are cut with it; boxes are clipped. One of which less than `kept` of the area is in the window becomes an
    ignored box (its attributes unknown); one of which less than a pixel is left in width or height is dropped. A window
    without boxes stays. The key is that of the image with ``@left,top``. The image that was read last is remembered.
    """

    dataset: BoxSet | Windowed

    def __init__(self, dataset: BoxSet | Windowed, windows: Sequence[Window], *, kept: float = 0.5) -> None:
        if not 0 <= kept <= 1:
            raise ValueError(f"kept is a share of a box's area, between 0 and 1, got {kept}")
        for window in windows:
            _require_inside(window, dataset.sizes)
        super().__init__(dataset)
        self.windows = tuple(windows)
        self.kept = kept
        self._last: tuple[int, Sample] | None = None

    def only(self, labels: Sequence[str]) -> Windowed:
        return Windowed(self.dataset.only(labels), self.windows, kept=self.kept)

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"window {index} is outside 0..{len(self) - 1}")
        window = self.windows[index]
        if self._last is None or self._last[0] != window.image:
            self._last = (window.image, self.dataset[window.image])
        return {**cut(self._last[1], window, kept=self.kept), "key": self.key(index)}

    def __getstate__(self) -> dict[str, Any]:
        """Without the remembered image, which another process would not ask for first."""
        return {**self.__dict__, "_last": None}

    @property
    def sizes(self) -> tuple[Size, ...]:
        """(H, W) of each window."""
        return tuple((window.height, window.width) for window in self.windows)

    def key(self, index: int) -> str:
        window = self.windows[index]
        return f"{self.dataset.key(window.image)}@{window.left},{window.top}"

    def scene(self, index: int) -> str:
        return self.dataset.scene(self.windows[index].image)


def _require_inside(window: Window, sizes: Sequence[Size]) -> None:
    if not 0 <= window.image < len(sizes):
        raise ValueError(f"{window} is of an image outside 0..{len(sizes) - 1}")
    height, width = sizes[window.image]
    ends = window.top + window.height <= height and window.left + window.width <= width
    if min(window.top, window.left) < 0 or min(window.height, window.width) < 1 or not ends:
        raise ValueError(f"{window} is not within its image, which is {width} wide and {height} high")


def cut(sample: Mapping[str, Any], window: Window, *, kept: float) -> dict[str, Any]:
    """The part of a sample that `window` shows, its boxes as `Windowed` says."""
    parts: dict[str, Any] = {}
    for name, value in sample.items():
        if is_box_target(value):
            parts[name] = _cut_target(value, window, kept)
        else:
            parts[name] = _cut(value, window) if isinstance(value, tv_tensors.TVTensor) else value
    return tidy(parts)


def _cut(value: Any, window: Window) -> Any:
    part = F.crop(value, window.top, window.left, window.height, window.width)
    if isinstance(value, tv_tensors.BoundingBoxes):
        return part
    return tv_tensors.wrap(part.as_subclass(Tensor).clone(), like=part)  # else a view that holds the whole image


def _cut_target(target: Mapping[str, Any], window: Window, kept: float) -> dict[str, Any]:
    boxes = _cut(target["boxes"], window)
    mostly_outside = area(boxes) < kept * area(target["boxes"])
    changed: dict[str, Any] = {**target, "boxes": boxes}
    if "ignore" in target:
        changed["ignore"] = target["ignore"] | mostly_outside
    if "values" in target:
        changed["values"] = target["values"].masked_fill(mostly_outside[:, None], torch.nan)
    return changed


def merge_windows(
    detections: Sequence[Mapping[str, Tensor]], windows: Sequence[Window], *, iou: float = 0.5
) -> dict[int, dict[str, Tensor]]:
    """Merge the detections in `windows` into detections in their images.

    An object in two windows is found twice. Of the detections of one class that overlap by more than `iou`, the best is
    kept (non-maximum suppression).

    Returns:
        {number of the image: boxes (n, 4), scores (n,), labels (n,)}, highest score first.

    Raises:
        ValueError: The number of detections differs from the number of windows.
    """
    if len(detections) != len(windows):
        raise ValueError(f"{len(detections)} detections for {len(windows)} windows: give one for each, empty if need be")
    gathered: dict[int, list[dict[str, Tensor]]] = {}
    for found, window in zip(detections, windows, strict=True):
        corner = [window.left, window.top, window.left, window.top]
        boxes = found["boxes"].as_subclass(Tensor) + torch.tensor(corner, device=found["boxes"].device)
        gathered.setdefault(window.image, []).append({**found, "boxes": boxes})
    merged = {}
    for index, parts in gathered.items():
        whole = {name: torch.cat([part[name] for part in parts]) for name in ("boxes", "scores", "labels")}
        keep = batched_nms(whole["boxes"].float(), whole["scores"].float(), whole["labels"], iou)
        merged[index] = {name: value[keep] for name, value in whole.items()}
    return merged
