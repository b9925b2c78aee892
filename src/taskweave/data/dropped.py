"""Samples that a release holds and that cannot be used: left out, counted, and told once."""

from __future__ import annotations

import warnings
from typing import final


@final
class Dropped:
    """Counts what is left out of `total` samples of `where`."""

    def __init__(self, where: str, total: int) -> None:
        self._where = where
        self._total = total
        self._met: dict[str, list[str]] = {}

    def note(self, reason: str, example: str) -> None:
        """reason: what is wrong with it, e.g. "with no gender". example: which it is, with the value that is wrong."""
        self._met.setdefault(reason, []).append(example)

    @property
    def counts(self) -> dict[str, int]:
        """{reason: how many}."""
        return {reason: len(examples) for reason, examples in self._met.items()}

    def __str__(self) -> str:
        parts = [f"{len(examples)} {reason} (the first: {examples[0]})" for reason, examples in self._met.items()]
        return f"{self._where}: {sum(self.counts.values())} of {self._total} images were left out: {'; '.join(parts)}"

    def warn(self) -> None:
        """One warning with all reasons; none where nothing was left out."""
        if self._met:
            warnings.warn(str(self), stacklevel=3)
