"""What long work tells those who watch it, and how they ask it to stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Literal, Protocol, final

Reason = Literal["interrupted", "deadline"]
"""Why work stopped before its end."""


class Progress(Protocol):
    """Told how far work has come; the command line draws bars from it. Phases nest: a validation inside a training."""

    def begin(self, what: str, total: int, *, done: int = 0) -> None:
        """A phase of `total` steps starts, `done` of which are behind (a resumed training)."""

    def advance(self, done: int, losses: Mapping[str, float] | None = None) -> None:
        """`done` steps of the innermost phase since the last call; losses by task, unweighted, when there are new ones."""

    def note(self, text: str) -> None:
        """One line that a person may want to read."""

    def end(self) -> None:
        """The innermost phase is over."""


@final
class Silent:
    """A progress that nobody watches."""

    def begin(self, what: str, total: int, *, done: int = 0) -> None: ...

    def advance(self, done: int, losses: Mapping[str, float] | None = None) -> None: ...

    def note(self, text: str) -> None: ...

    def end(self) -> None: ...


@final
class StopSignal:
    """Whether, and why, work should stop at its next resumable point. One may serve many trainings in turn.

    minutes: from now until the deadline; None for no deadline.
    """

    def __init__(self, minutes: float | None = None) -> None:
        self._until = None if minutes is None else time.monotonic() + 60.0 * minutes
        self._asked = False

    def ask(self) -> None:
        """Stop at the next resumable point."""
        self._asked = True

    @property
    def reason(self) -> Reason | None:
        """Why to stop now; None to go on."""
        if self._asked:
            return "interrupted"
        return "deadline" if self._until is not None and time.monotonic() >= self._until else None

    @contextmanager
    def catching(self) -> Iterator[StopSignal]:
        """Inside, the first Ctrl-C (SIGINT) or SIGTERM asks to stop, the second raises KeyboardInterrupt at once.

        Only the main thread can catch signals; in others this changes nothing.
        """
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.signal(number, self._caught) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _caught(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self.ask()
