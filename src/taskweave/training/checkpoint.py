"""Checkpoints: stored whole, and refused where they belong to something else."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor

from taskweave.files import CannotSaveError, writing

FORMAT = 1


@final
class WrongCheckpointError(ValueError):
    """A file does not belong to the network, or to the training, that it was given to."""


def open_folder(folder: Path) -> None:
    """Make the folder and prove that it can be written to, before any work is done. Raises CannotSaveError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CannotSaveError(
            f"cannot write to the output folder {folder}: {error.strerror or error}; "
            "choose another folder, or make it writable"
        ) from error


def save_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Store plain values and tensors. Raises CannotSaveError."""
    whole = {"format": FORMAT, **content}
    with writing(path, needed=_bytes_of(whole)) as file:
        try:
            torch.save(whole, file)
        except RuntimeError as error:  # how torch reports a full disk
            raise OSError(str(error)) from error


def _bytes_of(value: Any) -> int:
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, Mapping):
        return sum(_bytes_of(item) for item in value.values())
    return sum(_bytes_of(item) for item in value) if isinstance(value, list | tuple) else 8


def load_checkpoint(path: Path) -> dict[str, Any]:
    """What `save_checkpoint` stored, on the CPU. Raises WrongCheckpointError for a file that is none of ours."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WrongCheckpointError(f"{path} cannot be read as a checkpoint ({error}); delete it to start anew") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise WrongCheckpointError(f"{path} is no checkpoint of this version of taskweave; delete it to start anew")
    return content


def check_state(own: Mapping[str, Tensor], given: Mapping[str, Any], *, source: str, who: str) -> None:
    """Raise WrongCheckpointError unless `given` has exactly the keys and shapes of `own`; name the first that differ."""
    problems = []
    for word, keys in (("missing", own.keys() - given.keys()), ("unexpected", given.keys() - own.keys())):
        if keys:
            ordered = [key for key in (*own, *given) if key in keys]
            problems.append(f"{len(keys)} keys {word}: {', '.join(ordered[:3])}{', ...' if len(keys) > 3 else ''}")
    shapes = [
        f"{key} is {tuple(given[key].shape)} in the file, {tuple(tensor.shape)} in the network"
        for key, tensor in own.items()
        if key in given and given[key].shape != tensor.shape
    ]
    if shapes:
        problems.append(f"{len(shapes)} of another shape: {'; '.join(shapes[:3])}{'; ...' if len(shapes) > 3 else ''}")
    if problems:
        raise WrongCheckpointError(
            f"{source} holds another network than {who}: {'; '.join(problems)}. "
            "Give the file that was saved from this network"
        )


def check_known_by(stored: Mapping[str, Any], asked: Mapping[str, Any], *, source: str) -> None:
    """Raise WrongCheckpointError unless a run in a folder was determined by the same things as the one asked for."""
    differing = [
        f"{key}: {stored.get(key)!r} there, {asked.get(key)!r} asked for"
        for key in dict.fromkeys((*stored, *asked))
        if stored.get(key) != asked.get(key)
    ]
    if differing:
        raise WrongCheckpointError(
            f"{source} belongs to another training; {'; '.join(differing)}. Choose another folder, or delete this one"
        )
