"""What is told on the terminal while and after commands work: a bar per phase, lines of text."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_NARROW = 100


@final
class Bars:
    """A `taskweave.progress.Progress` drawn by rich: phases nest, the innermost is the lowest bar."""

    def __init__(self, bars: Progress, console: Console) -> None:
        self._bars = bars
        self._console = console
        self._phases: list[TaskID] = []
        self._told: set[str] = set()

    def begin(self, what: str, total: int, *, done: int = 0) -> None:
        indent = "  " * len(self._phases)
        self._phases.append(self._bars.add_task(indent + what, total=total, completed=done, losses=""))

    def advance(self, done: int, losses: Mapping[str, float] | None = None) -> None:
        phase = self._phases[-1]
        self._bars.advance(phase, done)
        if losses:
            text = "  ".join(f"{task} {value:.3f}" for task, value in losses.items())
            self._bars.update(phase, losses=text)

    def note(self, text: str) -> None:
        for line in text.splitlines():
            if line not in self._told:  # every run says the same of this machine
                self._told.add(line)
                say(self._console, line, "dim")

    def end(self) -> None:
        self._bars.remove_task(self._phases.pop())


def say(console: Console, text: str, style: str | None = None) -> None:
    """Print text as it is: no markup, no colours of numbers, no line broken."""
    console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def bars(console: Console | None = None) -> Iterator[Bars]:
    """Bars while inside, on stderr by default; on a terminal they vanish at the end, elsewhere only notes are printed."""
    console = console or Console(stderr=True)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)  # it greets every run with its precision
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    columns = [
        TextColumn("{task.description}"),
        BarColumn(bar_width=None if console.width > _NARROW else 20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
    ]
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as drawn:
        yield Bars(drawn, console)
