"""How far a connected network is, as it stands, from its streams alone; and what brings NDDR's batch norms to the start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import inf, isnan
from typing import Any, final
from zlib import crc32

import torch
from torch import Tensor, nn

from taskweave.streams.stream import evaluating
from taskweave.units.nddr import NDDR
from taskweave.weaving.connected import Connected

Difference = dict[str, float]
"""max |a - b| over all tensors of each stream's output; inf where shapes differ or a value is not a number."""


@final
@dataclass(frozen=True)
class StartReport:
    """The largest difference of each stream's output from its reference, max |connected - reference|.

    Args:
        eval: With all modules in eval mode.
        train: With all modules in train mode.
        exact_claimed: Whether every unit claims to pass features on unchanged in eval mode.
    """

    eval: Difference
    train: Difference
    exact_claimed: bool

    def __str__(self) -> str:
        width = max(len(name) for name in self.eval)
        rows = [f"  {name:<{width}}  eval {self.eval[name]:.3g}  train {self.train[name]:.3g}" for name in self.eval]
        claim = "the units claim an exact start in eval mode" if self.exact_claimed else "the units claim no exact start"
        return "\n".join(["largest difference from the streams alone:", *rows, f"  ({claim})"])


@final
@dataclass(frozen=True)
class CalibrationReport:
    """What `calibrate` left of the difference, on its first batch.

    Args:
        norms: How many batch norms were set.
        single: Against the streams alone. It includes the effect of weights other than (1, 0).
        without_norm: Against the same network without NDDR's batch norms: what they alone still change.
    """

    norms: int
    single: StartReport
    without_norm: StartReport

    def __str__(self) -> str:
        rows = [
            f"  {name}: eval {self.without_norm.eval[name]:.3g}, train {self.without_norm.train[name]:.3g}"
            for name in self.without_norm.eval
        ]
        head = f"{self.norms} batch norms calibrated; what they still change:"
        return "\n".join([head, *rows, str(self.single)])


@torch.no_grad()
def check_start(connected: Connected, example: Any) -> StartReport:
    """Compare every stream's output in the connected network with that of the stream alone.

    In train mode both use the same random numbers (dropout), and batch norms use the statistics of `example`. Buffers,
    modes and random state are restored afterwards.

    Args:
        example: An input, or {stream: input}; at least two pictures if a batch norm sees one value per picture.
    """
    return _report(connected, lambda: _alone(connected, example), lambda: connected(example))


@torch.no_grad()
def calibrate(connected: Connected, batches: Iterable[Any]) -> CalibrationReport:
    """Make every NDDR batch norm pass on its input unchanged: gamma = sigma, beta = mu, running statistics alike.

    In eval mode the network then computes what it would without these batch norms; with order "authors", weights (1, 0) and
    non-negative features, what its streams compute alone. In train mode the statistics of a batch differ from those of all
    batches; the report says how much difference is left.

    Args:
        batches: A few inputs like those of training (tensors, or {stream: tensor}), read once, in train mode: there the
            streams' own batch norms give the features that training will see; eval mode is exact for any mu and sigma.

    Raises:
        ValueError: There is no batch, or no NDDR with a batch norm.
    """
    norms = _norms(connected)
    if not norms:
        raise ValueError("calibrate sets the batch norms of NDDR units, and this network has none; its order may be 'none'")
    sums = {norm: _Moments() for norm in norms}
    first: Any = None
    with (
        evaluating(connected),  # for the modes that it puts back
        _buffers_kept(connected),
        torch.random.fork_rng(),
        _bypassed(norms, lambda norm, x: sums[norm].add(x)),
    ):
        connected.train()
        for batch in batches:
            first = batch if first is None else first
            connected(batch)
    if first is None:
        raise ValueError("calibrate needs at least one batch, got none")
    for norm, moments in sums.items():
        moments.set(norm)

    def without_norm() -> dict[str, Any]:
        with _bypassed(norms):
            outputs: dict[str, Any] = connected(first)
            return outputs

    left = _report(connected, without_norm, lambda: connected(first))
    return CalibrationReport(len(norms), check_start(connected, first), left)


def _alone(connected: Connected, example: Any) -> dict[str, Any]:
    inputs = example if isinstance(example, Mapping) else dict.fromkeys(connected.streams, example)
    return {name: connected.stream(name)(inputs[name]) for name in connected.streams}


def _report(
    connected: Connected, reference: Callable[[], dict[str, Any]], measured: Callable[[], dict[str, Any]]
) -> StartReport:
    found: list[Difference] = []
    for training in (False, True):
        with evaluating(connected):
            connected.train(training)
            outputs = [_run(connected, run, training) for run in (reference, measured)]
        found.append({name: _distance(outputs[1][name], outputs[0][name]) for name in connected.streams})
    return StartReport(found[0], found[1], all(connection.unit.exact_start for connection in connected.connections))


def _run(connected: Connected, run: Callable[[], dict[str, Any]], training: bool) -> dict[str, Any]:
    try:
        with _same_randomness(connected), _buffers_kept(connected):
            return run()
    except ValueError as error:
        if not training:
            raise
        raise ValueError(
            f"the start is compared in train mode too, where a network failed: {error}; "
            "give an example of at least two pictures, of the size used in training"
        ) from error


def _distance(a: Any, b: Any) -> float:
    """The largest difference of outputs that may be tensors in dicts, lists and tuples."""
    if isinstance(a, Tensor):
        if not isinstance(b, Tensor) or a.shape != b.shape:
            return inf
        largest = float((a.double() - b.double()).abs().max()) if a.numel() else 0.0
        return inf if isnan(largest) else largest
    if isinstance(a, Mapping):
        return max((_distance(value, b[key]) for key, value in a.items()), default=0.0)
    if isinstance(a, list | tuple):
        return max((_distance(i, j) for i, j in zip(a, b, strict=True)), default=0.0)
    return 0.0 if a == b else inf


@contextmanager
def _buffers_kept(net: nn.Module) -> Iterator[None]:
    before = [(buffer, buffer.clone()) for buffer in net.buffers()]
    try:
        yield
    finally:
        for buffer, value in before:
            buffer.copy_(value)


@contextmanager
def _same_randomness(net: nn.Module) -> Iterator[None]:
    """Every module draws random numbers of its own, whatever ran before it: streams in lock-step and alone agree."""

    def seed(name: str) -> Callable[[nn.Module, Any], None]:
        def reseed(module: nn.Module, args: Any) -> None:
            torch.manual_seed(crc32(name.encode()))

        return reseed

    with torch.random.fork_rng(), ExitStack() as stack:
        for name, module in net.named_modules():
            handle = module.register_forward_pre_hook(seed(name))
            stack.callback(handle.remove)
        yield


def _norms(connected: Connected) -> list[nn.BatchNorm2d]:
    """The batch norms of all NDDR units, each once."""
    units = [module for module in connected.connections.modules() if isinstance(module, NDDR)]
    return [norm for unit in units for norm in unit.norms if isinstance(norm, nn.BatchNorm2d)]


@contextmanager
def _bypassed(
    norms: Iterable[nn.BatchNorm2d], see: Callable[[nn.BatchNorm2d, Tensor], None] | None = None
) -> Iterator[None]:
    """Inside, each norm hands its input on, and `see` is shown it."""

    def hand_on(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        if see is not None and isinstance(module, nn.BatchNorm2d):
            see(module, args[0])
        return args[0].clone()  # a ReLU after the norm works in place

    with ExitStack() as stack:
        for norm in norms:
            stack.callback(norm.register_forward_hook(hand_on).remove)
        yield


@final
class _Moments:
    """Mean and variance per channel over everything added, in float64."""

    def __init__(self) -> None:
        self.count = 0
        self.total: Tensor | float = 0.0
        self.squares: Tensor | float = 0.0

    def add(self, x: Tensor) -> None:
        flat = x.double().transpose(0, 1).flatten(1)
        self.count += flat.shape[1]
        self.total = self.total + flat.sum(1)
        self.squares = self.squares + flat.square().sum(1)

    def set(self, norm: nn.BatchNorm2d) -> None:
        """gamma, beta and the running statistics with which `norm` is the identity in eval mode."""
        assert isinstance(self.total, Tensor) and isinstance(self.squares, Tensor)
        assert norm.running_mean is not None and norm.running_var is not None
        mean = self.total / self.count
        norm.running_mean.copy_(mean)
        norm.running_var.copy_((self.squares / self.count - mean.square()).clamp_min(0))
        norm.weight.copy_((norm.running_var + norm.eps).sqrt())
        norm.bias.copy_(norm.running_mean)
