"""taskweave report."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """What a report is written as."""

    HTML = "html"
    MD = "md"
    TEX = "tex"
    CSV = "csv"


def report(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A comparison's folder: where comparison.json lies.", show_default=False),
    ],
    no_images: Annotated[
        bool,
        typer.Option("--no-images", help="Leave out pictures of data, where they may not be shown; charts stay."),
    ] = False,
    form: Annotated[
        Format, typer.Option("--format", help="html: the page. md, tex (booktabs), csv: the table alone, for a paper.")
    ] = Format.HTML,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The file; default DIR/report.html; else the terminal.", show_default=False),
    ] = None,
) -> None:
    """Write a comparison as one self-contained page: verdict, table, gains, charts, pictures, recipe, versions.

    The page needs no network and no other file. Nothing is trained or measured: what the folder holds is shown. Charts are
    drawn from its numbers where it has none.

    \b
    taskweave report results/demo                              writes results/demo/report.html
    taskweave report results/demo --no-images --out demo.html  without pictures of data
    taskweave report results/demo --format tex > table.tex     the table for a paper
    """
    from taskweave.results.folder import find_comparison

    place = find_comparison(folder)
    if form is Format.HTML:
        file = _file(out or place / "report.html")
        _write(file, _page(place, images=not no_images))
    elif out is None:
        typer.echo(_table(place, form), nl=False)
    else:
        _write(_file(out), _table(place, form))


def _page(place: Path, *, images: bool) -> str:
    from taskweave.reporting.page import page_of
    from taskweave.reporting.report import write_charts
    from taskweave.results.folder import CHARTS

    if not (place / CHARTS).exists():  # compared in Python, which leaves numbers
        write_charts(place)
    return page_of(place, images=images)


def _table(place: Path, form: Format) -> str:
    from taskweave.reporting.formats import to_csv, to_markdown
    from taskweave.reporting.tables import table_of
    from taskweave.reporting.tex import to_tex
    from taskweave.results.folder import read_comparison

    write = {Format.MD: to_markdown, Format.TEX: to_tex, Format.CSV: to_csv}[form]
    return write(table_of(read_comparison(place)))


def _file(path: Path) -> Path:
    if path.is_dir():
        raise ValueError(f"--out {path} is a folder; give the file to write, e.g. {path / 'report.html'}")
    return path


def _write(path: Path, text: str) -> None:
    from rich.console import Console

    from taskweave.cli.progress import say
    from taskweave.files import CannotSaveError, write_text

    try:
        write_text(path, text)
    except CannotSaveError as error:
        reason = getattr(error.__cause__, "strerror", None) or error
        raise ValueError(f"{path} cannot be written ({reason}); give another file with --out") from error
    say(Console(), f"report: {path.absolute()} ({path.stat().st_size / 1e6:.2f} MB)")
