"""Training in stages: each single network first, stored; then connected from the stored weights and fine-tuned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from taskweave.progress import Progress, StopSignal
from taskweave.streams.stream import Stream
from taskweave.tasks.task import Task
from taskweave.training.batches import Samples
from taskweave.training.loop import fit
from taskweave.training.options import TrainingOptions
from taskweave.training.result import FitResult
from taskweave.training.weights import load_stream_weights
from taskweave.weaving.connected import Connected


def train_singles(
    streams: Mapping[str, Stream],
    tasks: Mapping[str, Task],
    train: Samples,
    options: TrainingOptions,
    *,
    folder: Path,
    seed: int,
    validation: Samples | None = None,
    stop: StopSignal | None = None,
    progress: Progress | None = None,
) -> dict[str, FitResult]:
    """Stage one: train every stream alone, in place, in `folder`/<its name>; each is stored and resumed like any training.

    Where one is stopped, those after it are not begun and are missing in what is returned.
    """
    results: dict[str, FitResult] = {}
    for name, stream in streams.items():
        results[name] = fit(
            Connected({name: stream}),
            tasks,
            train,
            options,
            folder=folder / name,
            seed=seed,
            validation=validation,
            stop=stop,
            progress=progress,
        )
        if not results[name].finished:
            break
    return results


def load_streams(net: Connected, files: Mapping[str, Path]) -> None:
    """Stage two's start: every named stream from its file, strictly; the connections stay as they were built.

    files: {stream: the weights of its stored training, or any checkpoint of the plain network}.
    Raises ValueError for an unknown stream, WrongCheckpointError naming the first keys that differ.
    """
    if unknown := [name for name in files if name not in net.streams]:
        raise ValueError(f"there are no streams {unknown} to load weights into; the streams are {list(net.streams)}")
    for name, path in files.items():
        load_stream_weights(net.stream(name), path, name=name)
