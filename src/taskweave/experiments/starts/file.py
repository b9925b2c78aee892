"""Weights of a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from taskweave.experiments.starts.start import Start
from taskweave.parts import Where, states
from taskweave.streams.stream import Stream
from taskweave.training import WrongCheckpointError
from taskweave.training.weights import read_state


def _title(options: Mapping[str, Any]) -> str:
    return f"weights of {options['path'].name}"


@states(title=_title)
def file(stream: Stream, stored: Path | None, *, path: Annotated[Path, Where]) -> Start:
    """Load every weight of a file but the last layer's, which is the task's own and stays random.

    Args:
        path: .safetensors, or a state dict that `torch.load` reads without pickled code.

    Raises:
        FileNotFoundError: There is no such file.
        WrongCheckpointError: It holds another network; the last layer may differ, nothing else.
    """
    state, own = read_state(path), stream.net.state_dict()
    heads = tuple(f"{head}." for head in stream.head)
    wanted = {key: value for key, value in state.items() if not key.startswith(heads)}
    wrong = [
        key for key, v in own.items() if not key.startswith(heads) and (key not in wanted or wanted[key].shape != v.shape)
    ]
    extra = [key for key in wanted if key not in own]
    if wrong or extra:
        raise WrongCheckpointError(
            f"{path} holds another network than {type(stream.net).__name__}: missing or of another shape {wrong[:3]}, "
            f"unexpected {extra[:3]}; the last layer {list(stream.head)} may differ, nothing else"
        )
    stream.net.load_state_dict(wanted, strict=False)
    return Start(source=path.name)
