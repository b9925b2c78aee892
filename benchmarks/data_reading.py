"""How fast pictures with a mask, a box and a class are read: our store, HDF5, JPEG.

    .venv/bin/python benchmarks/data_reading.py [--pets ../shared/data/oxford-iiit-pet] [--quick]

One process of one thread reads an epoch of 3,684 pictures of 256 x 256 in batches of 39, in an order drawn anew each time:
the pets, resized and repeated to that many (generated rooms where there are no pets). Every reader is measured up to the
batch "as it is stored" and up to "network input": float32 pictures in [0, 1] as (B, 3, 256, 256), int64 masks, float32
boxes, int64 classes. "In training" is the way of `fit`: `training_batches` of a `Transformed` set whose last transform is
`ToInput`, in the training's own order, up to the input; mirrored, every sample is transformed by itself, as with any
transform that varies. Rounds go over all readers in turn. The pages of the files are in memory ("warm"); then one epoch
each after the system was asked to drop them ("cold": what the disk or its host keeps cannot be dropped). First and cold
epochs are read as stored; those in training, as input.

The HDF5 files are what the Pet paper's authors publish code for: images.h5, masks.h5, bboxes.h5, binary.h5 with float32
data sets in chunks of 13 pictures, not compressed. A batch is three chunks drawn at random ("chunk-wise"), or 39 pictures
drawn at random ("item-wise": files open all the time, or opened for every item as code for several workers does). The same
with uint8, which is a quarter of the size. `open_pets_h5` reads both chunk by chunk and checks every value. JPEGs have
quality 95, their masks are PNGs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import torch
from data_reading_pictures import Pictures, load
from machine import machine
from rich.console import Console
from torch.utils.data import DataLoader, Dataset
from torchvision.io import decode_image, encode_jpeg, encode_png, read_file
from torchvision.transforms import v2

from taskweave.data import (
    BatchOrder,
    EpochOrder,
    LabelledSet,
    StoredBatches,
    ToInput,
    Transformed,
    collate,
    open_pets_h5,
    open_store,
    pack_store,
)
from taskweave.data.sample import Sample
from taskweave.images import PLAIN
from taskweave.training.batches import training_batches

BATCH, CHUNK, SIDE = 39, 13, 256
KEYS = ("images", "masks", "bboxes", "binary")
RESULTS = Path(__file__).parent / "results"
Tensors = list[torch.Tensor]


class Read(NamedTuple):
    """name: for the table. files: what it reads. epoch: yields a seed's batches, as stored. finish: makes them input.

    finish is None where batches come as input.
    """

    name: str
    files: list[Path]
    epoch: Callable[[int], Iterator[Tensors]]
    finish: Callable[[Tensors], Tensors] | None


# in training


def in_training(
    name: str, files: list[Path], data: LabelledSet, box: str, transform: Callable[[dict[str, object]], Sample]
) -> Read:
    """box: the name of the boxes, which are dense tensors in our store here and BoundingBoxes in the h5 form."""
    samples, steps = Transformed(data, transform, seed=0), -(-len(data) // BATCH)

    def epoch(seed: int) -> Iterator[Tensors]:
        for batch in training_batches(samples, batch_size=BATCH, seed=seed, first=0, last=steps):
            boxes = batch.targets[box]
            whole = torch.cat([one["boxes"] for one in boxes]) if isinstance(boxes, list) else boxes
            yield [batch.image, batch.targets["segmentation"], whole, batch.targets["species"]]

    return Read(f"{name}, in training", files, epoch, None)


# h5


def write_h5(folder: Path, pictures: Pictures, dtype: str) -> list[Path]:
    """As the authors' code reads it: channels last, one data set a file, chunks of 13."""
    folder.mkdir(parents=True)
    shapes = {"images": (SIDE, SIDE, 3), "masks": (SIDE, SIDE, 1), "bboxes": (4,), "binary": (1,)}
    paths = [folder / f"{key}.h5" for key in KEYS]
    for key, path in zip(KEYS, paths, strict=True):
        with h5py.File(path, "w") as file:
            kept = "float32" if key == "bboxes" else dtype
            data = file.create_dataset(key, (len(pictures), *shapes[key]), kept, chunks=(CHUNK, *shapes[key]))
            for start in range(0, len(pictures), CHUNK):
                rows = [pictures.row(index)[key] for index in range(start, min(start + CHUNK, len(pictures)))]
                data[start : start + CHUNK] = np.stack(rows)
    return paths


class Items(Dataset[Tensors]):
    """Picture by picture. opened: files are opened for every picture and closed again."""

    def __init__(self, paths: list[Path], *, opened: bool) -> None:
        self.paths, self.opened = paths, opened
        self.data = [h5py.File(path)[key] for key, path in zip(KEYS, paths, strict=True)]

    def __len__(self) -> int:
        return len(self.data[0])

    def __getitem__(self, index: int) -> Tensors:
        if not self.opened:
            return [torch.from_numpy(data[index]) for data in self.data]
        found = []
        for key, path in zip(KEYS, self.paths, strict=True):
            with h5py.File(path) as file:
                found.append(torch.from_numpy(file[key][index]))
        return found


class Chunks(Dataset[Tensors]):
    """Chunk by chunk, each read whole into an array of its own."""

    def __init__(self, paths: list[Path]) -> None:
        self.data = [h5py.File(path)[key] for key, path in zip(KEYS, paths, strict=True)]

    def __len__(self) -> int:
        return -(-len(self.data[0]) // CHUNK)

    def __getitem__(self, number: int) -> Tensors:
        return [torch.from_numpy(data[number * CHUNK : (number + 1) * CHUNK]) for data in self.data]


def joined(chunks: list[Tensors]) -> Tensors:
    return [torch.cat(parts) for parts in zip(*chunks, strict=True)]


def finish_h5(batch: Tensors) -> Tensors:
    image, mask, box, kind = batch
    return [
        image.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format).mul_(1 / 255),
        *(mask[..., 0].long(), box, kind[:, 0].long()),
    ]


def h5_readers(folder: Path, pictures: Pictures, dtype: str) -> list[Read]:
    paths = write_h5(folder, pictures, dtype)

    def items(opened: bool) -> Callable[[int], Iterator[Tensors]]:
        data = Items(paths, opened=opened)
        return lambda seed: iter(DataLoader(data, BATCH, shuffle=True, generator=seeded(seed)))

    chunks = Chunks(paths)

    def three(seed: int) -> Iterator[Tensors]:
        count = BATCH // CHUNK
        return iter(DataLoader(chunks, count, shuffle=True, generator=seeded(seed), collate_fn=joined))

    return [
        Read(f"h5 {dtype}, item-wise, files open", paths, items(False), finish_h5),
        Read(f"h5 {dtype}, item-wise, opened for each", paths, items(True), finish_h5),
        Read(f"h5 {dtype}, chunk-wise", paths, three, finish_h5),
        in_training(f"h5 {dtype}, by open_pets_h5", paths, open_pets_h5(folder), "box", ToInput(PLAIN)),
    ]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# JPEG


class Jpegs(Dataset[Tensors]):
    def __init__(self, folder: Path, pictures: Pictures) -> None:
        folder.mkdir()
        self.paths = [(folder / f"{index}.jpg", folder / f"{index}.png") for index in range(len(pictures))]
        self.rest = [pictures.row(index) for index in range(len(pictures.unique))]
        for index, (image, mask) in enumerate(self.paths):
            row = self.rest[index % len(self.rest)]
            image.write_bytes(bytes(encode_jpeg(channels_first(row["images"]), quality=95).numpy()))
            mask.write_bytes(bytes(encode_png(channels_first(row["masks"])).numpy()))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensors:
        image, mask = self.paths[index]
        row = self.rest[index % len(self.rest)]
        found = [decode_image(read_file(str(image))), decode_image(read_file(str(mask)))[0]]
        return [*found, torch.from_numpy(row["bboxes"]), torch.from_numpy(row["binary"])]


def channels_first(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values).permute(2, 0, 1).contiguous()


def finish_bytes(batch: Tensors) -> Tensors:
    image, mask, box, kind = batch
    return [image.to(torch.float32).mul_(1 / 255), mask.long(), box, kind.reshape(-1).long()]


def jpeg_reader(folder: Path, pictures: Pictures) -> Read:
    data = Jpegs(folder, pictures)
    files = [path for pair in data.paths for path in pair]
    return Read(
        "JPEG and PNG, by torchvision",
        files,
        lambda seed: iter(DataLoader(data, BATCH, shuffle=True, generator=seeded(seed))),
        finish_bytes,
    )


# ours


def store_readers(folder: Path, pictures: Pictures) -> list[Read]:
    pack_store({"train": pictures}, folder)
    stored = open_store(folder)
    steps = -(-len(stored) // BATCH)

    def order(seed: int) -> BatchOrder:
        return BatchOrder(EpochOrder(len(stored), seed), BATCH, first=0, last=steps)

    def samples(seed: int) -> Iterator[Tensors]:
        at = [[index for index, _ in batch] for batch in order(seed)]
        for batch in DataLoader(stored, batch_sampler=at, collate_fn=collate):
            yield [batch.image, *(batch.targets[name] for name in ("segmentation", "corners", "species"))]

    def batches(seed: int) -> Iterator[Tensors]:
        for batch in DataLoader(StoredBatches(stored), sampler=order(seed), batch_size=None):
            yield [batch.image, *(batch.targets[name] for name in ("segmentation", "corners", "species"))]

    files = sorted(folder.rglob("*.bin"))
    mirrored = v2.Compose([v2.RandomHorizontalFlip(), ToInput(PLAIN)])
    return [
        Read("our store, a batch at a time", files, batches, finish_bytes),
        Read("our store, sample by sample", files, samples, finish_bytes),
        in_training("our store", files, stored, "corners", ToInput(PLAIN)),
        in_training("our store, mirrored", files, stored, "corners", mirrored),
    ]


# measuring


def images_per_second(read: Read, seed: int, *, as_input: bool) -> float:
    start, count = time.perf_counter(), 0
    for batch in read.epoch(seed):
        given = read.finish(batch) if as_input and read.finish is not None else batch
        count += len(given[0])
    return count / (time.perf_counter() - start)


def drop_pages(files: list[Path]) -> None:
    for path in files:
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def cold_images_per_second(read: Read) -> float:
    drop_pages(read.files)
    return images_per_second(read, 100, as_input=False)


def measure(
    readers: list[Read], rounds: int, until: float, say: Callable[[str], None], *, cold: bool
) -> list[dict[str, object]]:
    """until: a time of `time.perf_counter`; a round that would not end before it, with the cold epochs, is not begun."""
    began = time.perf_counter()
    first = [images_per_second(read, 0, as_input=False) for read in readers]  # also brings all pages into memory
    warm: dict[bool, list[list[float]]] = {as_input: [[] for _ in readers] for as_input in (False, True)}
    epochs = rounded = time.perf_counter() - began
    for number in range(rounds):
        if number and time.perf_counter() + rounded + 2 * epochs > until:
            break
        began = time.perf_counter()
        for as_input, speeds in warm.items():
            for read, found in zip(readers, speeds, strict=True):
                if read.finish is None and not as_input:
                    continue
                found.append(images_per_second(read, 1 + number, as_input=as_input))
                say(
                    f"round {number + 1}, {'input ' if as_input else 'stored'}  {read.name:<40} {found[-1]:10,.0f} images/s"
                )
        rounded = time.perf_counter() - began
    cells = []
    for place, read in enumerate(readers):
        kept = [[round(speed, 1) for speed in warm[as_input][place]] for as_input in (False, True)]
        cells.append(
            {
                "reader": read.name,
                "megabytes": round(sum(path.stat().st_size for path in read.files) / 1e6, 1),
                "as_stored": statistics.median(kept[0]) if kept[0] else None,
                "as_stored_rounds": kept[0],
                "as_input": statistics.median(kept[1]),
                "as_input_rounds": kept[1],
                "first_epoch": round(first[place], 1),
                "cold": round(cold_images_per_second(read), 1) if cold else None,
            }
        )
    return cells


def to_markdown(result: dict[str, object], cells: list[dict[str, object]]) -> str:
    facts = result["machine"]
    assert isinstance(facts, dict)
    lines = [
        "# Reading an epoch of pictures",
        "",
        f"{result['count']:,} pictures of {SIDE} x {SIDE} ({result['pictures']}) with a mask, a box and a class, batches "
        f"of {BATCH}; images a second, median of {result['rounds']} rounds (least to most). {facts['device']}, "
        f"{facts['cores']} cores, {facts['threads']} thread, torch {facts['torch']}, {facts['date']}, "
        f"commit {facts['commit']}. {result['note']}".rstrip(),
        "",
        "| reader | MB | as stored | as network input | first epoch | cold |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for cell in cells:
        spreads = [spread(cell, end) for end in ("as_stored", "as_input")]
        once = [f"{cell[name]:,.0f}" if cell[name] is not None else "-" for name in ("first_epoch", "cold")]
        lines.append(
            f"| {cell['reader']} | {cell['megabytes']:,.0f} | {spreads[0]} | {spreads[1]} | {once[0]} | {once[1]} |"
        )
    lines += ["", "How many times as fast as each (as stored; as network input):", "", *ratios(cells), ""]
    return "\n".join([*lines, *(__doc__ or "").split("\n\n", 2)[2].strip().splitlines(), ""])


def spread(cell: dict[str, object], end: str) -> str:
    rounds = cell[f"{end}_rounds"]
    assert isinstance(rounds, list)
    return f"{cell[end]:,.0f} ({min(rounds):,.0f} to {max(rounds):,.0f})" if rounds else "-"


def ratio(own: dict[str, object], other: dict[str, object], end: str) -> str:
    one, two = own[end], other[end]
    return f"{one / two:.1f}" if isinstance(one, float) and isinstance(two, float) else "-"


def ratios(cells: list[dict[str, object]]) -> list[str]:
    """Of ours over every other, where both were measured."""
    ours, others = cells[:4], cells[4:]
    lines = ["| | " + " | ".join(str(cell["reader"]) for cell in ours) + " |", "|---" + "|---:" * len(ours) + "|"]
    for other in others:
        speeds = ["; ".join(ratio(own, other, end) for end in ("as_stored", "as_input")) for own in ours]
        lines.append(f"| {other['reader']} | {' | '.join(speeds)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pets", type=Path, default=Path(__file__).parents[2] / "shared" / "data" / "oxford-iiit-pet")
    parser.add_argument("--quick", action="store_true", help="78 pictures, one round: shows that it runs, measures nothing")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--seconds", type=float, default=3600.0, help="stop after fewer rounds, at least one, to end in these"
    )
    parser.add_argument("--warm", action="store_true", help="leave the cold epochs out")
    parser.add_argument("--note", default="", help="what else the machine did")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options, until = parser.parse_args(), time.perf_counter()
    until += options.seconds
    torch.set_num_threads(1)
    console = Console(width=120)
    count, rounds = (2 * BATCH, 1) if options.quick else (3684, options.rounds)
    pictures = load(None if options.quick else options.pets, count, SIDE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["TASKWEAVE_CACHE"] = str(folder / "cache")
        readers = store_readers(folder / "store", pictures)
        readers += h5_readers(folder / "float32", pictures, "float32") + h5_readers(folder / "uint8", pictures, "uint8")
        readers.append(jpeg_reader(folder / "jpeg", pictures))
        cells = measure(readers, rounds, until, lambda line: console.print(line, highlight=False), cold=not options.warm)
    rounds = len(cells[0]["as_input_rounds"])  # type: ignore[arg-type]
    told = {"count": count, "rounds": rounds, "pictures": pictures.what, "note": options.note}
    result = {"machine": machine(), **told, "cells": cells}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "data_reading.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.out / "data_reading.md").write_text(to_markdown(result, cells))
    console.print((options.out / "data_reading.md").read_text(), highlight=False, markup=False)


if __name__ == "__main__":
    main()
