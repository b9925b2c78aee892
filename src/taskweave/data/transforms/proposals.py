"""Proposals: boxes without labels in which objects may lie, an input of networks that look at regions."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors

from taskweave.data.boxes import bounding_boxes, clip
from taskweave.data.dataset import ChangedSet, LabelledSet
from taskweave.data.sample import Sample

Proposer = Callable[[tuple[int, int]], Tensor]
"""From an image's size (H, W) to (P, 4) boxes."""


def grid_proposals(
    size: tuple[int, int],
    *,
    scales: Sequence[float] = (0.125, 0.25, 0.5, 1.0),
    ratios: Sequence[float] = (0.5, 1.0, 2.0),
    overlap: float = 0.5,
) -> tv_tensors.BoundingBoxes:
    """Sliding boxes of several scales and shapes over an image of `size` (H, W), all within it; they know no label.

    Args:
        scales: The square root of a box's area, as a share of the image's shorter side.
        ratios: Height over width.
        overlap: Of neighbouring boxes of one scale and ratio, at least; the outermost boxes touch the image's edges.
    """
    if not scales or not ratios or min(*scales, *ratios) <= 0 or not 0 <= overlap < 1:
        raise ValueError(f"need scales and ratios above 0 and overlap in [0, 1), got {scales}, {ratios}, {overlap}")
    height, width = size
    boxes = []
    for scale in scales:
        for ratio in ratios:
            side = scale * min(size)
            h, w = min(side * math.sqrt(ratio), height), min(side / math.sqrt(ratio), width)
            tops, lefts = _starts(height, h, overlap), _starts(width, w, overlap)
            boxes += [(left, top, left + w, top + h) for top in tops for left in lefts]
    # a box cut to the image may equal another scale's; rounding may have led past the edge
    return clip(bounding_boxes(list(dict.fromkeys(boxes)), size))


def _starts(whole: float, part: float, overlap: float) -> list[float]:
    """Where parts begin so that they cover the whole evenly and neighbours share at least `overlap` of themselves."""
    gaps = math.ceil((whole - part) / (part * (1 - overlap)) - 1e-9)
    return [0.0] if gaps < 1 else [(whole - part) * step / gaps for step in range(gaps + 1)]


@final
class WithProposals(ChangedSet):
    """A data set with ``proposals``, BoundingBoxes (P, 4), in every sample.

    Args:
        proposals: By key, in pixels of the data set's images (`read_proposals`), or a function of the image's size, e.g.
            `grid_proposals`. Boxes that reach outside the image by less than a pixel are clipped.

    Raises:
        ValueError: An image has no proposals.
    """

    def __init__(self, dataset: LabelledSet, proposals: Mapping[str, Tensor] | Proposer) -> None:
        if isinstance(proposals, Mapping):
            missing = [dataset.key(i) for i in range(len(dataset)) if dataset.key(i) not in proposals]
            if missing:
                raise ValueError(
                    f"{len(missing)} of {len(dataset)} images have no proposals, the first {missing[0]!r}: "
                    f"give a row for every key, if need be an empty one"
                )
        super().__init__(dataset)
        self.proposals = proposals

    def only(self, labels: Sequence[str]) -> WithProposals:
        return WithProposals(self.dataset.only(labels), self.proposals)

    def __getitem__(self, index: int) -> Sample:
        sample = self.dataset[index]
        size = (int(sample["image"].shape[-2]), int(sample["image"].shape[-1]))
        given = self.proposals[sample["key"]] if isinstance(self.proposals, Mapping) else self.proposals(size)
        boxes = bounding_boxes(torch.as_tensor(given).as_subclass(Tensor), size)
        inside = clip(boxes)
        moved = (boxes.as_subclass(Tensor) - inside.as_subclass(Tensor)).abs().amax(dim=1)
        if len(moved) and float(moved.max()) >= 1:
            worst = int(moved.argmax())
            box = tuple(round(value, 2) for value in boxes[worst].tolist())
            raise ValueError(
                f"proposal {worst} of {sample['key']!r} is {box}, outside its image, "
                f"{size[1]} wide and {size[0]} high: proposals are x1, y1, x2, y2 in pixels of the data set's own images"
            )
        return {**sample, "proposals": inside}


def write_proposals(path: Path, proposals: Mapping[str, Tensor]) -> None:
    """{key: (P, 4) boxes} as ``.npz`` or ``.json``.

    npz: ``keys``, ``counts`` and ``boxes`` one after another; json: {key: [[x1, y1, x2, y2], ...]}.
    """
    path, rows = Path(path), {key: _checked(boxes, f"proposals of {key!r}") for key, boxes in proposals.items()}
    if _suffix(path) == ".json":
        path.write_text(json.dumps({key: boxes.tolist() for key, boxes in rows.items()}), encoding="utf-8")
        return
    np.savez_compressed(
        path,
        keys=np.array(list(rows), dtype=np.str_),
        counts=np.array([len(boxes) for boxes in rows.values()], dtype=np.int64),
        boxes=torch.cat([torch.zeros(0, 4), *rows.values()]).numpy(),
    )


def read_proposals(path: Path) -> dict[str, Tensor]:
    """{key: float32 (P, 4)} of a file that `write_proposals` or another program wrote in one of its two forms."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: expected proposals written by write_proposals")
    try:
        rows = json.loads(path.read_text(encoding="utf-8")) if _suffix(path) == ".json" else _read_npz(path)
    except (json.JSONDecodeError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} holds no readable proposals ({error}): write them again by write_proposals") from error
    if not isinstance(rows, dict):
        raise ValueError(f"{path} holds a {type(rows).__name__}, expected an object of keys with lists of boxes")
    return {key: _checked(boxes, f"{path}, proposals of {key!r}") for key, boxes in rows.items()}


def _read_npz(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        keys, counts, boxes = (file[name] for name in ("keys", "counts", "boxes"))
    if len(keys) != len(counts) or int(counts.sum()) != len(boxes):
        raise ValueError(
            f"{path} has {len(keys)} keys, {len(counts)} counts that sum to {counts.sum()}, {len(boxes)} boxes"
        )
    return dict(zip(keys.tolist(), np.split(boxes, np.cumsum(counts)[:-1]), strict=True)) if len(keys) else {}


def _checked(boxes: Any, where: str) -> Tensor:
    try:
        values = torch.as_tensor(boxes, dtype=torch.float32).as_subclass(Tensor)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where} are no numbers ({error}): expected rows x1, y1, x2, y2") from error
    if values.numel() == 0:
        return torch.zeros(0, 4)
    if values.ndim != 2 or values.shape[1] != 4:
        raise ValueError(f"{where} have shape {tuple(values.shape)}, expected (P, 4): x1, y1, x2, y2")
    wrong = ~(values.isfinite().all(dim=1) & (values[:, 2:] > values[:, :2]).all(dim=1))
    if wrong.any():
        first = int(wrong.nonzero()[0])
        raise ValueError(f"{where}: row {first} is {values[first].tolist()}, expected x1 < x2 and y1 < y2")
    return values


def _suffix(path: Path) -> str:
    if path.suffix not in (".npz", ".json"):
        raise ValueError(f"{path} ends in {path.suffix!r}: proposals are kept as .npz or .json")
    return path.suffix
