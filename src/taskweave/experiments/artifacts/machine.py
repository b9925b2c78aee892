"""What a comparison was computed on, in words: processor, memory, GPU, threads, and versions of the packages that count."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("torch", "torchvision", "timm", "lightning", "torchmetrics", "numpy", "scipy", "matplotlib")
_PROCESSORS = Path("/proc/cpuinfo")


def describe_machine() -> str:
    """Processor, cores, threads of torch, GPUs and system, in one line.

    E.g. "AMD EPYC 9354, 2 cores, 2 threads, no GPU, Linux-6.1-x86_64". Nothing in it names the machine or its user.
    """
    import torch

    gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return ", ".join(
        (
            _processor(_PROCESSORS),
            _counted(os.cpu_count() or 1, "core"),
            _counted(torch.get_num_threads(), "thread"),
            " + ".join(gpus) or "no GPU",
            platform.platform(),
        )
    )


def installed_versions() -> dict[str, str]:
    """{"python", "taskweave", "torch", ...: version} of what is installed; the rest is left out. Imports none of it."""
    from taskweave import __version__

    found = {"python": platform.python_version(), "taskweave": __version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _processor(information: Path) -> str:
    """The processor's name; Linux tells it in /proc/cpuinfo, under x86 at least."""
    try:
        text = information.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name" and value.strip():
            return " ".join(value.split())
    return platform.processor() or platform.machine() or "unknown processor"


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
