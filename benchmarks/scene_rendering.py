"""How fast Scenes are rendered on one core, and read back from the cache.

    .venv/bin/python benchmarks/scene_rendering.py [--count 200] [--out benchmarks/results/scene_rendering.json]

Pictures per second of wall time, one process, one thread: rendered (drawn, traced, shaded, anti-aliased, labelled), rendered
into the cache, and read from it. Each is the median of the rounds, with all rounds beside it.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from machine import machine
from rich.console import Console

from taskweave.data.rendering import render
from taskweave.data.scenes import Scenes
from taskweave.data.scenes_rooms import draw_room


def rate(run: Callable[[], None], count: int) -> float:
    start = time.perf_counter()
    run()
    return count / (time.perf_counter() - start)


def measure(size: int, count: int, seed: int) -> dict[str, float]:
    """Pictures per second of one round; every round has rooms of its own."""

    def rendered() -> None:
        for index in range(count):
            render(draw_room(seed, index)[0], (size, size))

    scenes = Scenes(count, size=(size, size), seed=seed)

    def read() -> None:
        for index in range(count):
            scenes[index]

    return {
        "rendered": rate(rendered, count),
        "rendered into the cache": rate(scenes.prepare, count),
        "read from the cache": rate(read, count),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "scene_rendering.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cells = []
    for size in (64, 128, 192):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["TASKWEAVE_CACHE"] = folder
            rounds = [measure(size, options.count, seed) for seed in range(options.rounds)]
        for what in rounds[0]:
            rates = [round(each[what], 1) for each in rounds]
            cells.append({"size": size, "what": what, "pictures_per_second": statistics.median(rates), "rounds": rates})
            Console().print(f"{size:4d} px  {what:<24} {statistics.median(rates):8.1f} pictures/s")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"machine": machine(), "count": options.count, "cells": cells}, indent=1) + "\n")


if __name__ == "__main__":
    main()
