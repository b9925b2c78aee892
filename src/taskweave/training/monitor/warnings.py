"""What the monitor of negative transfer warned of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

from taskweave.files import write_text

WARNINGS = "warnings.json"


@final
@dataclass(frozen=True)
class Warned:
    """task: the one that suffers, or "a and b" whose gradients point apart.  place: where; "" where no cosine is known.

    since: the step from which on it held.  until: the step at which it ended; None where it held to the last.
    text: the sentence that was told when it began.
    """

    task: str
    place: str
    since: int
    text: str
    until: int | None = None

    @property
    def message(self) -> str:
        return self.text if self.until is None else f"{self.text}; it ended at step {self.until}"


@final
class Ledger:
    """The warnings of a training, those that ended too, in the order in which they began."""

    def __init__(self) -> None:
        self.warned: tuple[Warned, ...] = ()
        self._open: dict[str, int] = {}

    def begin(self, key: str, warned: Warned) -> None:
        """Note a warning. key: of what it warns, until it ends."""
        self._open[key] = len(self.warned)
        self.warned = (*self.warned, warned)

    def end(self, key: str, step: int) -> None:
        """Note that what it warned of is over."""
        number = self._open.pop(key)
        ended = replace(self.warned[number], until=step)
        self.warned = (*self.warned[:number], ended, *self.warned[number + 1 :])

    def state_dict(self) -> dict[str, Any]:
        return {"warned": [asdict(one) for one in self.warned], "open": dict(self._open)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.warned = tuple(Warned(**one) for one in state["warned"])
        self._open = dict(state["open"])


def write_warnings(folder: Path, warned: Sequence[Warned]) -> None:
    """Put them into the training's folder as ``warnings.json``, whole or not at all. Raises CannotSaveError."""
    write_text(folder / WARNINGS, json.dumps([asdict(one) for one in warned], indent=1) + "\n")


def read_warnings(folder: Path) -> tuple[Warned, ...]:
    """Those of a training's folder; none where nothing watched it. Raises ValueError for a damaged file."""
    path = folder / WARNINGS
    if not path.is_file():
        return ()
    try:
        return tuple(Warned(**one) for one in json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}); delete it: only this training's warnings are lost") from error
