"""What a connection costs: a training step of the connected network over the steps of its streams alone.

    .venv/bin/python benchmarks/connection_overhead.py [--quick] [--out benchmarks/results/connection_overhead.json]

For every unit, K streams, network and precision: the median time of forward + backward of the connected network, divided
by that of the same streams without connections, both measured in turns in one process; beside it the ratio of their
floating-point operations (matrix products and convolutions, as torch's FlopCounterMode counts them). A cell that is
already in the output file is not measured again, so an interrupted run goes on where it stopped. At the end the cells
are written as a Markdown table beside the output file.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import timm
import torch
from machine import machine
from rich.progress import track
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import taskweave as tw

UNITS: dict[str, tuple[Callable, tuple[Callable, ...]]] = {
    "identity": (tw.Identity, ()),
    "cross-stitch per channel": (tw.CrossStitch, ()),
    "cross-stitch per layer": (functools.partial(tw.CrossStitch, per="layer"), ()),
    "NDDR authors": (functools.partial(tw.NDDR, order="authors"), ()),
    "NDDR paper": (functools.partial(tw.NDDR, order="paper"), ()),
    "NDDR bare": (functools.partial(tw.NDDR, order="none"), ()),
    "cross-connected": (tw.CrossConnection, ()),
    "sluice": (tw.Sluice, ()),
    "NDDR + shortcut": (functools.partial(tw.NDDR, order="authors"), (tw.Shortcut,)),
}
NETWORKS: dict[str, tuple[Callable[[], nn.Module], list[str], tuple[int, int]]] = {
    "resnet18": (
        lambda: timm.create_model("resnet18", num_classes=10),
        ["stem", "layer1", "layer2", "layer3", "layer4"],
        (8, 128),
    ),
    "deeplab_vgg16": (
        lambda: tw.networks.deeplab_vgg16(40, batch_norm=False),
        ["pool1", "pool2", "pool3", "pool4", "pool5"],
        (1, 97),
    ),
}


def build(network: str, k: int, unit: str | None) -> tuple[tw.Connected, Tensor]:
    make, places, (batch, size) = NETWORKS[network]
    example = torch.randn(batch, 3, size, size)
    streams = {f"task{i}": tw.as_stream(make()) for i in range(k)}
    if unit is None:
        return tw.Connected(streams), example
    factory, gather = UNITS[unit]
    return tw.connect(streams, at=places, unit=factory, gather=gather, example=example, prove=False), example


def step(net: tw.Connected, x: Tensor, bf16: bool) -> None:
    with torch.autocast(x.device.type, torch.bfloat16) if bf16 else nullcontext():
        loss = sum(output.float().square().mean() for output in net(x).values())
    loss.backward()
    net.zero_grad(set_to_none=True)


def seconds(run: Callable[[], None], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def flops(net: tw.Connected, x: Tensor) -> int:
    with FlopCounterMode(display=False) as counter:
        step(net, x, bf16=False)
    return counter.get_total_flops()


def measure(network: str, k: int, unit: str, bf16: bool, rounds: int, device: torch.device) -> dict[str, object]:
    connected, x = build(network, k, unit)
    alone, _ = build(network, k, None)
    layout = torch.channels_last
    connected, alone, x = (part.to(device, memory_format=layout) for part in (connected, alone, x))
    flop_ratio = flops(connected, x) / flops(alone, x)
    for net in (connected, alone):
        step(net, x, bf16)
    times = [
        (seconds(lambda: step(connected, x, bf16), device), seconds(lambda: step(alone, x, bf16), device))
        for _ in range(rounds)
    ]
    ratios = sorted(together / apart for together, apart in times)
    return {
        "network": network,
        "K": k,
        "unit": unit,
        "precision": "bf16 autocast" if bf16 else "fp32",
        "batch": list(x.shape),
        "rounds": rounds,
        "seconds_connected": statistics.median(t for t, _ in times),
        "seconds_alone": statistics.median(a for _, a in times),
        "time_ratio": statistics.median(ratios),
        "time_ratio_quartiles": [ratios[len(ratios) // 4], ratios[(3 * len(ratios)) // 4]],
        "flop_ratio": flop_ratio,
        "time_over_flop_ratio": statistics.median(ratios) / flop_ratio,
    }


def as_markdown(result: dict[str, Any]) -> str:
    """Time ratio over FLOP ratio (quartiles of the rounds), one row per unit."""
    cells = {(c["network"], c["K"], c["precision"], c["unit"]): c for c in result["cells"]}
    columns = list(dict.fromkeys(key[:3] for key in cells))
    lines = [
        "# Time of a training step with connections, over its streams alone",
        "",
        "Time ratio divided by FLOP ratio, median over rounds (quartiles). Made by `benchmarks/connection_overhead.py`.",
        "",
        ", ".join(f"{name}: {value}" for name, value in result["machine"].items()),
    ]
    for network in dict.fromkeys(column[0] for column in columns):
        own = [column for column in columns if column[0] == network]
        lines += ["", f"## {network}", "", "| unit | " + " | ".join(f"K={k} {p.split()[0]}" for _, k, p in own) + " |"]
        lines.append("| :-- |" + " --: |" * len(own))
        lines += [f"| {unit} | " + " | ".join(_cell(cells.get((*c, unit))) for c in own) + " |" for unit in UNITS]
    return "\n".join(lines) + "\n"


def _cell(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return "not measured"
    low, high = (quartile / cell["flop_ratio"] for quartile in cell["time_ratio_quartiles"])
    return f"{cell['time_over_flop_ratio']:.3f} ({low:.2f}-{high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="K = 2 only, fp32 only")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "connection_overhead.json")
    options = parser.parse_args()
    result = json.loads(options.out.read_text()) if options.out.exists() else {"machine": machine(), "cells": []}
    if result["machine"]["device"] != machine()["device"]:
        parser.error(
            f"{options.out} was measured on {result['machine']['device']}, this is {machine()['device']}: figures of two "
            "machines do not belong in one file; give another --out"
        )
    done = {(c["network"], c["K"], c["unit"], c["precision"]) for c in result["cells"]}
    cells = [
        (network, k, unit, bf16)
        for network in options.networks
        for k in ((2,) if options.quick else (2, 4, 8))
        for unit in UNITS
        for bf16 in ((False,) if options.quick else (False, True))
        if (network, k, unit, "bf16 autocast" if bf16 else "fp32") not in done
    ]
    for network, k, unit, bf16 in track(cells, description="measuring"):
        torch.manual_seed(0)
        rounds = max(3, options.rounds * 2 // k)
        result["cells"].append(measure(network, k, unit, bf16, rounds, torch.device(options.device)))
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    options.out.with_suffix(".md").write_text(as_markdown(result))


if __name__ == "__main__":
    main()
