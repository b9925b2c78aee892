"""What a training tells those who watch it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, final


class Progress(Protocol):
    """Told what goes on; the command line draws bars from it. Phases nest: a validation happens inside a training."""

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
