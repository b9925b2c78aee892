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
from collections.abc import Callable
from pathlib import Path

import torch
from data_reading_pictures import SIDE, load
from data_reading_readers import BATCH, Read, every_reader
from data_reading_table import to_markdown
from machine import machine
from rich.console import Console

RESULTS = Path(__file__).parent / "results"


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
        readers = every_reader(folder, pictures)
        cells = measure(readers, rounds, until, lambda line: console.print(line, highlight=False), cold=not options.warm)
    rounds = len(cells[0]["as_input_rounds"])  # type: ignore[arg-type]
    told = {"count": count, "rounds": rounds, "pictures": pictures.what, "note": options.note}
    result = {"machine": machine(), **told, "cells": cells}
    notes = (__doc__ or "").split("\n\n", 2)[2].strip()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "data_reading.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.out / "data_reading.md").write_text(to_markdown(result, cells, notes))
    console.print((options.out / "data_reading.md").read_text(), highlight=False, markup=False)


if __name__ == "__main__":
    main()
