"""Lightning Fabric: the precision of a training, and processes that train one network together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, final

import torch
from lightning.fabric import Fabric
from lightning.fabric.plugins import MixedPrecision, Precision
from torch import Tensor, nn

from taskweave.training.options import TrainingOptions

_AT_ONCE = 16_000_000
"""Numbers that are sent in one message."""


@final
class Autocasting(MixedPrecision):
    """Fabric's bf16 autocast, without its rounding of all inputs: autocast itself casts what convolutions multiply.

    Regions of interest are inputs, too: at 8 bits a coordinate of 600 would be off by up to 2 pixels.
    """

    def __init__(self, device: str) -> None:
        super().__init__("bf16-mixed", device=device)

    def convert_input(self, data: Any) -> Any:
        return data


def make_fabric(options: TrainingOptions) -> Fabric:
    """Return Lightning Fabric for resolved options (no "auto" left), on one device.

    Raises:
        ValueError: The requested device is not available.
    """
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device='cuda' was asked for, but torch sees no CUDA device here; set device to 'auto' or 'cpu'")
    # as plugins, since Fabric announces a precision given as a word on every start
    precision = Autocasting(options.device) if options.precision == "bf16" else Precision()
    return Fabric(accelerator=options.device, devices=1, plugins=[precision])


@final
class Ranks:
    """The processes that Fabric launched; with a single process, every method leaves its argument unchanged.

    Losses and gradients equal those of one process with the whole batch. Gradients are averaged here, once per step, and
    not by torch's DistributedDataParallel: a process may have no label in a step, and then nothing to backpropagate.
    """

    def __init__(self, fabric: Fabric) -> None:
        self.fabric = fabric
        self.count, self.number = fabric.world_size, fabric.global_rank

    @property
    def alone(self) -> bool:
        return self.count == 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and measures."""
        return self.number == 0

    def of_leader(self, value: Any) -> Any:
        """The first process's value."""
        return value if self.alone else self.fabric.broadcast(value, src=0)

    def of_each(self, value: Any) -> list[Any]:
        """Every process's value (a plain one), in the order of the processes."""
        if self.alone:
            return [value]
        values: list[Any] = [None] * self.count
        torch.distributed.all_gather_object(values, value)
        return values

    def total(self, value: Tensor) -> Tensor:
        """The sum over processes."""
        if self.alone:
            return value
        summed = self.fabric.all_reduce(value, reduce_op="sum")
        assert isinstance(summed, Tensor)
        return summed

    def tensor_of_leader(self, value: Tensor) -> Tensor:
        """The first process's values, in place; of one shape in all."""
        if not self.alone:
            torch.distributed.broadcast(value, src=0)
        return value

    def start_equal(self, net: nn.Module) -> None:
        """Give every process the first one's parameters and buffers."""
        if not self.alone:
            for tensor in (*net.parameters(), *net.buffers()):
                torch.distributed.broadcast(tensor.detach(), src=0)

    def joined(
        self,
        losses: Mapping[str, Tensor],
        counts: Mapping[str, Tensor | float],
        tasks: Sequence[str],
        *,
        adding: Collection[str] = (),
    ) -> dict[str, Tensor]:
        """Return the loss of every task that has a label in any process.

        L = sum_r c_r L_r / sum_r c_r, where c_r is the label count of process r. The value of L is the same in all
        processes. Its gradient is this process's part, scaled so that the mean over processes is the gradient of L; it is 0
        in a process that has no label of the task.

        Args:
            losses: {task: this process's loss}, for the tasks that have a label here.
            counts: {task: this process's label count}.
            tasks: All tasks, in the same order in every process.
            adding: Tasks whose losses add up over processes: L = sum_r L_r.
        """
        own = torch.zeros(3, len(tasks), dtype=torch.float64, device=self.fabric.device)
        for i, name in enumerate(tasks):
            if name in losses:
                count = torch.as_tensor(counts[name], dtype=torch.float64, device=own.device)
                if name in adding:
                    count = (count > 0).to(count)
                own[:, i] = torch.stack([torch.ones_like(count), count, count * losses[name].detach().double()])
        whole = self.total(own.clone())
        found = {}
        for i, name in enumerate(tasks):
            if whole[0, i] > 0 and whole[1, i] > 0:
                some = whole[1, i].clamp(min=torch.finfo(torch.float64).tiny)
                some = torch.ones_like(some) if name in adding else some
                value = (whole[2, i] / some).float()
                found[name] = value
                if name in losses:
                    part = losses[name] * (self.count * own[1, i] / some).to(losses[name].dtype)
                    found[name] = part + (value - part).detach()
        return found

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Every gradient becomes its mean over processes, 0 for one without; None where none has it."""
        if self.alone:
            return
        wanting = [p for p in parameters if p.requires_grad]
        has = torch.tensor([p.grad is not None for p in wanting], dtype=torch.float32, device=self.fabric.device)
        gradients = []
        for parameter, count in zip(wanting, self.total(has).tolist(), strict=True):
            if count:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                gradients.append(parameter.grad)
        for some in _in_messages(gradients):
            flat = self.total(torch.cat([gradient.flatten() for gradient in some])) / self.count
            for gradient, part in zip(some, torch.split(flat, [g.numel() for g in some]), strict=True):
                gradient.copy_(part.view(gradient.shape))


def _in_messages(gradients: Sequence[Tensor]) -> Iterable[list[Tensor]]:
    """The gradients in parts of about `_AT_ONCE` numbers of one type."""
    message: list[Tensor] = []
    for gradient in gradients:
        if message and (gradient.dtype != message[0].dtype or sum(g.numel() for g in message) > _AT_ONCE):
            yield message
            message = []
        message.append(gradient)
    if message:
        yield message


@final
class Autocast(nn.Module):
    """A network inside Fabric's precision, as `Fabric.setup` makes it, without its averaging of gradients."""

    def __init__(self, net: nn.Module, fabric: Fabric) -> None:
        super().__init__()
        self.net, self._fabric = net, fabric

    def forward(self, *inputs: Any, tasks: Sequence[str] | None = None) -> Any:
        with self._fabric.autocast():
            return self.net(*inputs, tasks=tasks)
