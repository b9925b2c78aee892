"""Whose statistics batch norms normalise with: shared, each data set's own, or frozen ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import final

import torch
from torch import Tensor, nn

from taskweave.files import write_bytes
from taskweave.training.weights import WrongCheckpointError, check_state

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
_SETS = "data_sets"


@final
class SetStatistics:
    """Running statistics of a network's batch norms, separate for each data set; scales and shifts stay shared.

    They start as copies of the network's own statistics, which only `pool` and `use` change.

    Raises:
        ValueError: The network has no batch norms.
    """

    def __init__(self, net: nn.Module, sets: Sequence[str]) -> None:
        norms = {path: m for path, m in net.named_modules() if isinstance(m, nn.modules.batchnorm._NormBase)}
        self._norms = {path: norm for path, norm in norms.items() if norm.running_mean is not None}
        if not self._norms:
            raise ValueError("statistics per data set need batch norms, the network has none; take batch_norm='shared'")
        self._of = {name: {key: tensor.clone() for key, tensor in self._current().items()} for name in sets}

    @property
    def sets(self) -> tuple[str, ...]:
        return tuple(self._of)

    def _current(self) -> dict[str, Tensor]:
        return {f"{path}.{name}": norm._buffers[name] for path, norm in self._norms.items() for name in _STATISTICS}  # type: ignore[misc]

    @contextmanager
    def of(self, sources: Sequence[str]) -> Iterator[None]:
        """Inside, norms read and update those of the data set that a batch is from; of no data set, the network's own."""
        if not sources:
            yield
            return
        if len(set(sources)) > 1 or sources[0] not in self._of:
            raise ValueError(f"statistics are kept for {list(self._of)}; this batch is from {sorted(set(sources))}")
        own = self._current()
        # the tensors are exchanged, not their content: a backward pass may still need those of the forward pass
        self._put(self._of[sources[0]])
        try:
            yield
        finally:
            self._put(own)

    def _put(self, tensors: Mapping[str, Tensor]) -> None:
        for path, norm in self._norms.items():
            for name in _STATISTICS:
                norm._buffers[name] = tensors[f"{path}.{name}"]

    @torch.no_grad()
    def use(self, name: str) -> None:
        """Give the network the statistics of one data set, to predict pictures like its own."""
        if name not in self._of:
            raise ValueError(f"there are no statistics of {name!r}; there are those of {list(self._of)}")
        for key, tensor in self._current().items():
            tensor.copy_(self._of[name][key])

    @torch.no_grad()
    def pool(self) -> None:
        """Give the network those of all data sets together, each counted once, to predict pictures of unknown kind.

        Mean m = mean_s m_s, variance mean_s (v_s + (m_s - m) ** 2).
        """
        for path, norm in self._norms.items():
            means, variances = (
                torch.stack([own[f"{path}.{name}"] for own in self._of.values()]) for name in _STATISTICS[:2]
            )
            assert norm.running_mean is not None and norm.running_var is not None
            norm.running_mean.copy_(means.mean(0))
            norm.running_var.copy_((variances + (means - means.mean(0)).square()).mean(0))

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        return {name: dict(own) for name, own in self._of.items()}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Load the statistics of the same network and data sets.

        Raises:
            KeyError: The state belongs to other data sets or another network.
        """
        for name, own in self._of.items():
            for key, tensor in own.items():
                tensor.copy_(state[name][key])


def save_statistics(statistics: SetStatistics, path: Path) -> None:
    """Write the statistics to a safetensors file.

    Raises:
        CannotSaveError: The file cannot be written.
    """
    from safetensors.torch import save

    state = statistics.state_dict()
    tensors = {f"{i}.{key}": t.detach().cpu() for i, own in enumerate(state.values()) for key, t in own.items()}
    write_bytes(path, save(tensors, metadata={_SETS: json.dumps(list(state))}))


def read_statistics(net: nn.Module, path: Path) -> SetStatistics:
    """Read the statistics that `save_statistics` wrote for this network.

    Raises:
        FileNotFoundError: There is no such file.
        WrongCheckpointError: The file holds no statistics, or those of another network.
    """
    from safetensors import safe_open

    if not path.is_file():
        raise FileNotFoundError(f"there are no statistics per data set at {path}; train with batch_norm='per_data_set'")
    with safe_open(path, framework="pt") as file:
        sets = json.loads((file.metadata() or {}).get(_SETS, "[]"))
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
    if not sets:
        raise WrongCheckpointError(f"{path} holds no statistics per data set; give the file that a training wrote")
    statistics = SetStatistics(net, sets)
    own = {f"{i}.{key}": t for i, part in enumerate(statistics.state_dict().values()) for key, t in part.items()}
    check_state(own, tensors, source=str(path), who=type(net).__name__)
    for key, tensor in own.items():
        tensor.copy_(tensors[key])
    return statistics
