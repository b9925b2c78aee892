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
from taskweave.training.validation import FitResult
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
    """Stage one: train every stream alone and in place.

    Args:
        streams: {task: its single-task network}.
        folder: Each network is stored in, and resumed from, the folder of its name in this one.
        tasks, train, options, seed, validation, stop, progress: As for `fit`.

    Returns:
        {task: its result}. If a training is stopped, the ones after it are not started and are missing.
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
    """Start stage two: load streams from files, strictly. Connections keep the weights that they were built with.

    Args:
        files: {stream: the weights of its stored training, or any checkpoint of the plain network}.

    Raises:
        ValueError: There is no stream of that name.
        WrongCheckpointError: A file is of another network; the first keys that differ are named.
    """
    if unknown := [name for name in files if name not in net.streams]:
        raise ValueError(f"there are no streams {unknown} to load weights into; the streams are {list(net.streams)}")
    for name, path in files.items():
        load_stream_weights(net.stream(name), path, name=name)
