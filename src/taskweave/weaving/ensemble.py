"""Several networks for the same tasks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, final

from torch import nn

from taskweave.weaving.connected import Connected


@final
class Ensemble(nn.Module):
    """Networks side by side; {task: [output of every member that has the task]}, in the order of the members.

    The papers' "ensemble of two" per task is four single networks here: two for each task. What averaging means is the
    task's: `taskweave.tasks.task.mean_soft`.
    Raises ValueError without members.
    """

    def __init__(self, members: Sequence[Connected]) -> None:
        super().__init__()
        if not members:
            raise ValueError("an Ensemble needs at least one member, got none")
        self.members = nn.ModuleList(members)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Every task that a member has, in order of appearance."""
        return tuple(dict.fromkeys(name for i in range(len(self.members)) for name in self.member(i).streams))

    def member(self, index: int) -> Connected:
        member = self.members[index]
        assert isinstance(member, Connected)
        return member

    def forward(self, inputs: Any, tasks: Collection[str] | None = None) -> dict[str, list[Any]]:
        """Outputs by task.

        inputs: {task: input}, or one input for all.  tasks: only these (default: all).
        Raises ValueError for a task that no member has.
        """
        wanted = self.tasks if tasks is None else tuple(tasks)
        for name in wanted:
            if name not in self.tasks:
                raise ValueError(f"no member of this ensemble has the task {name!r}; the tasks are {list(self.tasks)}")
        outputs: dict[str, list[Any]] = {name: [] for name in wanted}
        for i in range(len(self.members)):
            member = self.member(i)
            own = [name for name in wanted if name in member.streams]
            for name, output in (member(inputs, own) if own else {}).items():
                outputs[name].append(output)
        return outputs
