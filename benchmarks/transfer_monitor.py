"""What the monitor of negative transfer costs, and how often it warns of nothing.

    .venv/bin/python benchmarks/transfer_monitor.py [--steps 12] [--out benchmarks/results/transfer_monitor.md]

Cost: seconds per training step (forward, losses, backward, optimiser) of two ResNet-18 streams that meet in NDDR units at
five places, pictures of 128 x 160 in batches of 4, with and without a look at the gradients. Steps of both kinds come in
turns in one process. A look every N steps costs its difference / N.
False alarms: the share of simulated trainings, of noise around a mean, in which an alarm begins (see
`taskweave.training.monitor.monitor`).
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import timm
import torch
from machine import machine
from torch import Tensor, nn

import taskweave as tw
from taskweave.data.sample import Batch
from taskweave.training import Limits
from taskweave.training.monitor.cosines import Cosines
from taskweave.training.monitor.monitor import COSINE, GAP, Alarm

PLACES = ["stem", "layer1", "layer2", "layer3", "layer4"]
SIZE, BATCH = (128, 160), 4
GAP_ROWS, LOOKS = 200, 100


def build() -> tuple[tw.Connected, Batch]:
    torch.manual_seed(0)
    streams = {name: tw.as_stream(timm.create_model("resnet18", num_classes=10)) for name in ("a", "b")}
    image = torch.randn(BATCH, 3, *SIZE)
    net = tw.connect(streams, PLACES, tw.NDDR, example=image)
    rows = torch.arange(BATCH)
    targets = dict.fromkeys(streams, torch.randint(10, (BATCH,)))
    return net.train(), Batch(image, targets, dict.fromkeys(streams, rows), tuple("0123"))


def backward(tensor: Tensor, *, inputs: Sequence[Tensor], retain_graph: bool) -> None:
    tensor.backward(inputs=list(inputs), retain_graph=retain_graph)


def step(net: tw.Connected, batch: Batch, optimizer: torch.optim.Optimizer, cosines: Cosines, number: int) -> float:
    """Seconds of one training step."""
    begun = time.perf_counter()
    cosines.begin(number)
    with cosines.watching():
        outputs = net(batch.image)
    losses = {name: nn.functional.cross_entropy(output, batch.targets[name]) for name, output in outputs.items()}
    cosines.look(losses, batch, backward)
    sum(losses.values(), torch.zeros(())).backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return time.perf_counter() - begun


def measure(steps: int) -> tuple[list[float], list[float]]:
    """Seconds of steps without a look, and with one, in turns."""
    net, batch = build()
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9)
    cosines = Cosines(net, list(net.streams), every=2)
    seconds = [step(net, batch, optimizer, cosines, number) for number in range(1, 2 * steps + 5)][4:]
    return seconds[::2], seconds[1::2]


def rate(limits: Limits, mean: float, spread: float, *, values: int, follows: float = 0.0, trials: int = 1000) -> float:
    """The share of simulated series in which an alarm begins. follows: the correlation of neighbouring values."""
    begun = 0
    for trial in range(trials):
        draws, alarm, noise = random.Random(trial), Alarm(limits), 0.0
        for number in range(values):
            new = draws.gauss(0.0, spread)
            noise = new if number == 0 else follows * noise + (1 - follows**2) ** 0.5 * new
            if alarm.add(number, mean + noise) == "begins":
                begun += 1
                break
    return begun / trials


def rates(limits: Limits, means: Sequence[float], spreads: Sequence[float], *, values: int) -> list[str]:
    head = ["spread", *(f"mean {mean:+.2f}" for mean in means), "mean +0.00, neighbours correlated by 0.5"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for spread in spreads:
        found = [rate(limits, mean, spread, values=values) for mean in means]
        found.append(rate(limits, 0.0, spread, values=values, follows=0.5))
        lines.append("| " + " | ".join([f"{spread:.2f}", *(f"{100 * share:.1f} %" for share in found)]) + " |")
    return lines


def described(seconds: Sequence[float]) -> str:
    low, middle, high = statistics.quantiles(seconds, n=4)
    return f"{middle:.3f} s (quartiles {low:.3f} to {high:.3f})"


def report(plain: Sequence[float], looking: Sequence[float], steps: int) -> str:
    extra = statistics.median(looking) - statistics.median(plain)
    share = extra / statistics.median(plain)
    ratios = sorted(b / a - 1 for a, b in zip(plain, looking, strict=True))
    low, _, high = statistics.quantiles(ratios, n=4)
    where = machine()
    return "\n".join(
        [
            "# What the monitor of negative transfer costs, and how often it warns of nothing",
            "",
            f"`python benchmarks/transfer_monitor.py --steps {steps}`, {where['date']}, commit {where['commit']}, "
            f"{where['device']}, {where['threads']} thread(s), torch {where['torch']}.",
            "",
            f"Two ResNet-18 streams, NDDR at {', '.join(PLACES)}, batches of {BATCH} pictures of {SIZE[0]} x {SIZE[1]}; "
            f"medians of {steps} steps each, in turns.",
            "",
            f"- a step without a look: {described(plain)}",
            f"- a step with one (every step, N = 1): {described(looking)}: {100 * share:+.0f} % (quartiles of neighbouring "
            f"pairs {100 * low:+.0f} to {100 * high:+.0f} %)",
            f"- every N = 50 steps: {100 * share / 50:+.1f} % of a step on average",
            "",
            f"## Alarms of a gap: {GAP_ROWS} rows of log(loss / reference), {GAP}",
            "",
            "Share of 1,000 simulated trainings in which one begins. spread: standard deviation of a row.",
            "",
            *rates(GAP, (0.0, 0.02, 0.1, 0.2), (0.02, 0.04, 0.1, 0.2), values=GAP_ROWS),
            "",
            f"## Alarms of a place: {LOOKS} looks at -cosine, {COSINE}",
            "",
            *rates(COSINE, (0.0, 0.15, 0.3), (0.1, 0.2, 0.3), values=LOOKS),
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "transfer_monitor.md")
    given = parser.parse_args()
    given.out.write_text(report(*measure(given.steps), given.steps))
    print(given.out.read_text())


if __name__ == "__main__":
    main()
