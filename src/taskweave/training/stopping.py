"""Asking a training to stop at the end of a step: Ctrl-C and a deadline."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Literal, final

Reason = Literal["interrupted", "deadline"]


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
