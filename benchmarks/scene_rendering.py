"""How fast Scenes are rendered on one core, and read back from the cache.

    .venv/bin/python benchmarks/scene_rendering.py [--count 100] [--out benchmarks/results/scene_rendering.json]

One process of one thread, in pictures per second of wall time and per second of core time (from which other programs take
nothing): rendered (drawn, traced, shaded, anti-aliased, labelled), rendered into the cache, and read from it. Each is the
median of the rounds, with all rounds beside it.
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
from machine import machine
from rich.console import Console

from taskweave.data.generated.furnishing import draw_room
from taskweave.data.generated.rendering import render
from taskweave.data.generated.scenes import Scenes


def rate(run: Callable[[], None], count: int) -> tuple[float, float]:
    wall, core = time.perf_counter(), time.process_time()
    run()
    return count / (time.perf_counter() - wall), count / (time.process_time() - core)


def measure(size: int, count: int, seed: int) -> dict[str, tuple[float, float]]:
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
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "scene_rendering.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cells = []
    for size in (64, 128, 192):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["TASKWEAVE_CACHE"] = folder
            rounds = [measure(size, options.count, seed) for seed in range(options.rounds)]
        for what in rounds[0]:
            wall, core = ([round(each[what][k], 1) for each in rounds] for k in (0, 1))
            cell = {"size": size, "what": what, "pictures_per_second": statistics.median(wall), "rounds": wall}
            cells.append(cell | {"pictures_per_core_second": statistics.median(core), "core_rounds": core})
            Console(width=120).print(
                f"{size:4d} px  {what:<24} {statistics.median(wall):8.1f} pictures/s, "
                f"{statistics.median(core):8.1f} per second of core time"
            )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"machine": machine(), "count": options.count, "cells": cells}, indent=1) + "\n")


if __name__ == "__main__":
    main()
