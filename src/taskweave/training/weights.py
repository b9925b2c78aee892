"""Weights as safetensors files, and strict loading of anybody's checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor, nn

from taskweave.files import write_bytes
from taskweave.streams.stream import Stream

SAME = "same_as"
"""The metadata entry that says which keys are further names of a stored tensor (tied weights)."""


@final
class WrongCheckpointError(ValueError):
    """A file does not belong to the network, or to the training, that it was given to."""


def save_weights(net: nn.Module, path: Path) -> None:
    """Store a network's state as safetensors, tied tensors once.

    Raises:
        CannotSaveError: The file cannot be written; an earlier one stays whole.
    """
    from safetensors.torch import save

    tensors, same = _untied(net.state_dict())
    write_bytes(path, save(tensors, metadata={SAME: json.dumps(same)}))


def _untied(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    tensors: dict[str, Tensor] = {}
    same: dict[str, str] = {}
    first: dict[tuple[Any, ...], str] = {}
    for name, tensor in state.items():
        place = (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype, tensor.device)
        if tensor.numel() and place in first:
            same[name] = first[place]
            continue
        first[place] = name
        tensors[name] = tensor.detach().cpu().contiguous()
    return tensors, same


def read_state(path: Path, *, under: str = "") -> dict[str, Tensor]:
    """Read the tensors of a safetensors file or of a torch file (a state_dict, or a dict that holds exactly one).

    Args:
        path: The file.
        under: Of a safetensors file, read only tensors whose names begin so, e.g. "connections.".

    Returns:
        {name: tensor}, on the CPU.

    Raises:
        FileNotFoundError: There is no such file.
        WrongCheckpointError: The file holds no state_dict.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path} to load weights from")
    found = _read_safetensors(path, under)
    return found if found is not None else _read_torch(path)


def _read_safetensors(path: Path, under: str) -> dict[str, Tensor] | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            wanted = [name for name in file.keys() if name.startswith(under)]  # noqa: SIM118 - no mapping
            same = json.loads((file.metadata() or {}).get(SAME, "{}"))
            tied = {name: other for name, other in same.items() if name.startswith(under)}
            tensors = {name: file.get_tensor(name) for name in dict.fromkeys([*wanted, *tied.values()])}
    except SafetensorError:
        return None
    return {name: tensors[name] for name in wanted} | {name: tensors[other] for name, other in tied.items()}


def _read_torch(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WrongCheckpointError(f"{path} is neither a safetensors file nor a torch checkpoint: {error}") from error
    if _is_state(content):
        return dict(content)
    inner = [value for value in content.values() if _is_state(value)] if isinstance(content, Mapping) else []
    if len(inner) != 1:
        keys = list(content)[:6] if isinstance(content, Mapping) else type(content).__name__
        raise WrongCheckpointError(
            f"{path} should hold one state_dict, found {len(inner)} in {keys}; save net.state_dict()"
        )
    return dict(inner[0])


def _is_state(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) > 0 and all(isinstance(item, Tensor) for item in value.values())


def load_weights(net: nn.Module, path: Path) -> None:
    """Load a file into the network it was saved from.

    Raises:
        FileNotFoundError: There is no such file.
        WrongCheckpointError: The file is of another network; the first keys that differ are named.
    """
    state = read_state(path)
    check_state(net.state_dict(), state, source=str(path), who=type(net).__name__)
    net.load_state_dict(state)


def load_stream_weights(stream: Stream, path: Path, *, name: str | None = None) -> None:
    """Load a single-task network into a stream, strictly.

    Args:
        stream: Where to load it.
        path: The network's own state_dict (a plain timm or torchvision training, `save_weights(stream.net, path)`), or the
            weights of a stored training of a connected network.
        name: Which stream of a stored connected network to take. Default: its only one.

    Raises:
        FileNotFoundError: There is no such file.
        WrongCheckpointError: The file is of another network; the first keys that differ are named.
    """
    state = _stream_part(read_state(path), path, name)
    check_state(stream.net.state_dict(), state, source=str(path), who=type(stream.net).__name__)
    stream.net.load_state_dict(state)


def _stream_part(state: dict[str, Tensor], path: Path, name: str | None) -> dict[str, Tensor]:
    """The state of one stream's network, where the keys are those of a connected network; else the state itself."""
    split = {key: key.split(".", 3) for key in state}
    stored = list(dict.fromkeys(k[1] for k in split.values() if len(k) == 4 and k[0] == "streams" and k[2] == "net"))
    if not stored:
        return state
    wanted = stored[0] if len(stored) == 1 else name
    if wanted not in stored:
        raise WrongCheckpointError(f"{path} holds the streams {stored}, asked for {name!r}; say which with name=")
    return {k[3]: state[key] for key, k in split.items() if len(k) == 4 and k[:3] == ["streams", wanted, "net"]}


def check_state(own: Mapping[str, Tensor], given: Mapping[str, Any], *, source: str, who: str) -> None:
    """Check that `given` has exactly the keys and shapes of `own`.

    Raises:
        WrongCheckpointError: Keys or shapes differ; the message names the first that do.
    """
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
