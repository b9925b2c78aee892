"""How mistakes are told: one message, no traceback."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import typer

_OURS = Path(__file__).resolve().parents[1]
BAD_INPUT, NO_DATA, FAILED_RUNS, INTERRUPTED = 2, 3, 4, 130


def told(command: Callable[[], object]) -> int:
    """Run a command; its exit code: 0, 2 after a mistake, 3 without data, 4 where a run failed, 130 after Ctrl-C.

    TASKWEAVE_DEBUG=1 in the environment shows tracebacks.
    """
    try:
        with _notes():
            command()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except (ValueError, OSError, ImportError, ArithmeticError) as error:
        ours = not isinstance(error, ArithmeticError) or type(error).__module__.startswith("taskweave.")
        if not ours or os.environ.get("TASKWEAVE_DEBUG"):  # a division by zero is no mistake that we foresaw
            raise
        _say(_message(error))
        return BAD_INPUT
    return 0


@contextmanager
def resumable() -> Iterator[None]:
    """Inside, a Ctrl-C that is not caught otherwise (before the first step, or a second one) ends with a word and 130."""
    try:
        yield
    except KeyboardInterrupt as error:
        _say("stopped at once; the same command goes on from the last checkpoint")
        raise typer.Exit(INTERRUPTED) from error


@contextmanager
def _notes() -> Iterator[None]:
    """Inside, what our code warns of is a line of its own, without the place in our code that said it."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, UserWarning) and Path(filename).is_relative_to(_OURS):
                _say(str(message), "note: ")
            else:
                usual(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield


def _message(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return text


def _say(text: str, kind: str = "") -> None:
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True, soft_wrap=not sys.stderr.isatty()).print(
        Text.assemble(("taskweave: ", "bold" if kind else "bold red"), kind, text)
    )
