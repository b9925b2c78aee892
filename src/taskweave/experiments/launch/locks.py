"""No run is trained by two at once: the lock of a run's folder, and who holds it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import final

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict

from taskweave.files import write_text

LOCK, HOLDER = "lock", "lock.json"


@final
class Holder(BaseModel):
    """Who trains a run. since: UTC, ISO 8601."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    process: int
    host: str
    since: str

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}, since {self.since}"


UNKNOWN = "another process"
"""A holder that has not said yet who it is."""


@final
class RunLock:
    """The right to train into one run's folder, among all processes that see it.

    It is the operating system's lock on ``lock`` in that folder, so it ends with the process that holds it, however that
    ends. ``lock.json`` beside it says who holds it; after a crash it is left behind and means nothing.
    """

    def __init__(self, own: Path) -> None:
        self.own = own
        self._lock = FileLock(own / LOCK, is_singleton=False)

    @contextmanager
    def tried(self) -> Iterator[bool]:
        """Whether it is ours, which it then is while inside. Raises OSError where the folder cannot be written to."""
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            yield False
            return
        try:
            me = Holder(process=os.getpid(), host=socket.gethostname(), since=_now())
            write_text(self.own / HOLDER, me.model_dump_json())
            yield True
        finally:
            (self.own / HOLDER).unlink(missing_ok=True)
            self._lock.release()

    @property
    def holder(self) -> str:
        """Who holds it, in words; where nobody does, whatever the last one left."""
        try:
            return str(Holder.model_validate_json((self.own / HOLDER).read_text(encoding="utf-8")))
        except (OSError, ValueError):  # just taken, or just given back
            return UNKNOWN


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
