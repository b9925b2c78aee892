"""How near our store comes to bare mapped arrays.

    .venv/bin/python benchmarks/store_reading.py [--also MODULE] [--quick]

One process of one thread reads 1,170 pictures of 256 x 256 and their masks in batches of 39, drawn at random: as stored,
and up to network input (float32 pictures in [0, 1], int64 masks). Readers take turns at every batch, in an order drawn
anew, so that what else the machine does falls on all of them; all pages are in memory. The share of the bare arrays' speed
is the median over rounds of the share in each. A data set's masks are int64 and come out so, whatever they are stored in:
2.75 times the bytes to write. In uint8, as the bare arrays hold them, the same bytes are moved. MODULE: another store's,
with `pack_store` and `open_store` like ours.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import machine
from torchvision import tv_tensors

from taskweave.data import LabelledSet, open_store, pack_store

BATCH, SIDE = 39, 256
RESULTS = Path(__file__).parent / "results"
Tensors = tuple[torch.Tensor, torch.Tensor]
Read = Callable[[Sequence[int]], Tensors]


class Noise(LabelledSet):
    """Drawn numbers. dtype: of the masks."""

    labels = ("segmentation",)
    classes = ("a", "b", "c")

    def __init__(self, count: int, dtype: torch.dtype) -> None:
        draw = np.random.default_rng(0)
        self.images = draw.integers(0, 256, (count, 3, SIDE, SIDE), np.uint8)
        self.masks = draw.integers(0, 3, (count, SIDE, SIDE), np.uint8)
        self.dtype = dtype

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict[str, Any]:
        image, mask = torch.from_numpy(self.images[index]), torch.from_numpy(self.masks[index])
        masked = {"segmentation": tv_tensors.Mask(mask.to(self.dtype)), "key": self.key(index)}
        return {"image": tv_tensors.Image(image), **masked}

    def key(self, index: int) -> str:
        return str(index)

    scene = key


def every_reader(folder: Path, count: int, also: str) -> dict[str, Read]:
    """{name: what reads a batch}; the bare arrays first."""
    data = Noise(count, torch.uint8)
    np.save(folder / "images.npy", data.images)
    np.save(folder / "masks.npy", data.masks)
    images, masks = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("images", "masks"))
    readers: dict[str, Read] = {
        "bare npy memmap": lambda at: (torch.from_numpy(images[at]), torch.from_numpy(masks[at])),
    }
    stores = {"our store": (pack_store, open_store)}
    if also:
        module = importlib.import_module(also)
        stores[also] = (module.pack_store, module.open_store)
    for dtype in (torch.uint8, torch.int64):
        for name, (pack, opened) in stores.items():
            what = f"{name}, {str(dtype).removeprefix('torch.')} masks"
            pack({"train": Noise(count, dtype)}, folder / what)
            readers[what] = reader_of(opened(folder / what))
    return readers


def reader_of(stored: Any) -> Read:
    def read(at: Sequence[int]) -> Tensors:
        batch = stored.batch(at)
        return batch.image, batch.targets["segmentation"]

    return read


def as_input(batch: Tensors) -> Tensors:
    return batch[0].to(torch.float32).mul_(1 / 255), batch[1].long()


def measure(readers: dict[str, Read], count: int, rounds: int) -> list[dict[str, Any]]:
    """The first round, which maps all pages, is not counted."""
    ways = [(name, end) for end in ("stored", "input") for name in readers]
    speeds: dict[tuple[str, str], list[float]] = {way: [] for way in ways}
    for number in range(rounds + 1):
        draw, seconds = np.random.default_rng(number), dict.fromkeys(ways, 0.0)
        order = draw.permutation(count)
        for start in range(0, count, BATCH):
            for name, end in (ways[turn] for turn in draw.permutation(len(ways))):
                began, at = time.perf_counter(), order[start : start + BATCH].tolist()
                batch = readers[name](at)
                batch = as_input(batch) if end == "input" else batch
                seconds[name, end] += time.perf_counter() - began
        for way in ways:
            speeds[way] += [count / seconds[way]] if number else []
    bare = next(iter(readers))
    return [
        {
            "reader": name,
            "end": end,
            "images_per_second": [round(speed) for speed in found],
            "share_of_bare": round(statistics.median(a / b for a, b in zip(found, speeds[bare, end], strict=True)), 3),
        }
        for (name, end), found in speeds.items()
    ]


def to_markdown(result: dict[str, Any]) -> str:
    facts = result["machine"]
    lines = [
        "# Our store beside bare arrays",
        "",
        f"Images a second, median of {result['rounds']} rounds (least to most), and the share of the bare arrays' speed. "
        f"{facts['device']}, {facts['cores']} cores, {facts['threads']} thread, torch {facts['torch']}, {facts['date']}, "
        f"commit {facts['commit']}. {result['note']}".rstrip(),
        "",
        "| reader | up to | images/s | share |",
        "|---|---|---:|---:|",
    ]
    for cell in result["cells"]:
        found = cell["images_per_second"]
        speed = f"{statistics.median(found):,.0f} ({min(found):,} to {max(found):,})"
        lines.append(f"| {cell['reader']} | {cell['end']} | {speed} | {cell['share_of_bare']:.2f} |")
    return "\n".join([*lines, "", *(__doc__ or "").split("\n\n", 2)[2].strip().splitlines(), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--also", default="", help="a module with another pack_store and open_store")
    parser.add_argument("--quick", action="store_true", help="78 pictures, one round: shows that it runs, measures nothing")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--note", default="", help="what else the machine did")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    count, rounds = (2 * BATCH, 1) if options.quick else (30 * BATCH, options.rounds)
    with tempfile.TemporaryDirectory() as name:
        os.environ["TASKWEAVE_CACHE"] = str(Path(name) / "cache")
        cells = measure(every_reader(Path(name), count, options.also), count, rounds)
    result = {"machine": machine(), "count": count, "rounds": rounds, "note": options.note, "cells": cells}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "store_reading.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.out / "store_reading.md").write_text(to_markdown(result))
    print((options.out / "store_reading.md").read_text())


if __name__ == "__main__":
    main()
