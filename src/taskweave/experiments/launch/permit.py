"""A file that workers look at: while it is there and says "go", they train."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import final

from taskweave.files import write_text
from taskweave.progress import StopSignal

_GO, _STOP = "go", "stop"
_LOOK = 0.5


@final
class FolderNotSharedError(OSError):
    """A worker does not see the folder of results."""


@final
class Permit:
    """Asks workers to stop by a file, since a file is what all of them see, on whatever machine they run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def stop(self) -> None:
        """Every training that looks at it is to stop at its next resumable point."""
        write_text(self.path, _STOP)

    def check(self, where: str) -> None:
        """Raise FolderNotSharedError where a worker does not see it. where: the worker's machine, for the message."""
        if not self.path.is_file():
            raise FolderNotSharedError(
                f"a worker on {where} does not see {self.path.parent}: workers write into the folder of results, so it "
                "must be on a disk that all machines share; give one with --out, by the path that all of them know"
            )

    @contextmanager
    def watched(self) -> Iterator[StopSignal]:
        """A signal that is set soon after the permit ends, or is gone."""
        signal, over = StopSignal(), threading.Event()

        def look() -> None:
            while not over.wait(_LOOK):
                if self._ended():
                    signal.ask()
                    return

        if self._ended():
            signal.ask()
        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield signal
        finally:
            over.set()
            watcher.join()

    def _ended(self) -> bool:
        try:
            return self.path.read_text(encoding="utf-8") != _GO
        except OSError:
            return True


@contextmanager
def permitted(folder: Path) -> Iterator[Permit]:
    """A fresh permit in the folder of all results; none is left behind."""
    path = folder.absolute() / f".workers-{uuid.uuid4().hex}"
    write_text(path, _GO)
    try:
        yield Permit(path)
    finally:
        path.unlink(missing_ok=True)
