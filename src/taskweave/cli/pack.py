"""taskweave pack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from taskweave.data.store.manifest import Manifest


def pack(
    dataset: Annotated[
        str,
        typer.Argument(
            help="A folder whose layout `taskweave inspect-data` knows, or a YAML file with a recipe's data.",
            show_default=False,
        ),
    ],
    out: Annotated[Path | None, typer.Argument(help="The store to write: a new folder.", show_default=False)] = None,
    parts: Annotated[str, typer.Option("--parts", help="Which parts, with commas; default all, e.g. train,test.")] = "",
    labels: Annotated[str, typer.Option("--labels", help="Which labels, with commas; default all that are there.")] = "",
    size: Annotated[str, typer.Option("--size", help="HEIGHTxWIDTH to bring pictures to; default their own.")] = "",
    shard_mb: Annotated[int, typer.Option("--shard-mb", min=1, max=2000, help="About how large each file is.")] = 32,
    upload: Annotated[str, typer.Option("--upload", help="Then copy the store to s3://bucket/name.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Read a store, given as DATASET, and name its damage.")] = False,
) -> None:
    """Write a data set once into a store that is read fast, from a disk or from object storage.

    Pictures and labels are kept as they are read, bit for bit, not compressed; every file has a checksum. A packing that
    was stopped goes on where it was when the same command is given again. A recipe reads the store as `use: stored`.

    \b
    taskweave pack ../data/nyuv2 stores/nyuv2 --size 240x320
    taskweave pack my.yaml stores/mine --upload s3://bucket/mine
    taskweave pack stores/nyuv2 --check
    """
    from rich.console import Console

    console = Console()
    if check:
        _check(Path(dataset), console)
    elif out is None:
        raise typer.BadParameter("give the folder to write the store to: taskweave pack DATASET OUT", param_hint="OUT")
    else:
        _pack(_Asked(dataset, _words(parts), _words(labels), _size(size), shard_mb << 20), out, console)
        if upload:
            _upload(out, upload, console)


class _Asked(NamedTuple):
    dataset: str
    parts: list[str]
    labels: list[str]
    size: tuple[int, int] | None
    shard_bytes: int


def _pack(asked: _Asked, out: Path, console: Console) -> None:
    from rich.console import Console as Terminal

    from taskweave.cli.dataset_argument import opened
    from taskweave.cli.mistakes import INTERRUPTED
    from taskweave.cli.progress import bars
    from taskweave.data.store.packing import pack_store as write, read_journal

    try:
        given = opened(asked.dataset, parts=asked.parts, labels=asked.labels, size=asked.size)
        for note in given.notes:
            console.print(f"note: {note}", style="dim", highlight=False, markup=False, soft_wrap=True)
        with bars(Terminal(stderr=True)) as progress:
            manifest = write(given.parts, out, source=given.source, shard_bytes=asked.shard_bytes, progress=progress)
    except KeyboardInterrupt as stop:
        journal = read_journal(out)
        how_far = f" with {journal.done:,} of {journal.total:,} samples written" if journal else ""
        typer.echo(f"stopped{how_far}; the same command goes on from there, and until then {out} is no store", err=True)
        raise typer.Exit(INTERRUPTED) from stop
    _tell(manifest, out, console)


def _tell(manifest: Manifest, out: Path, console: Console) -> None:
    counts = ", ".join(f"{part.items:,} ({name})" for name, part in manifest.parts.items())
    size = sum(file.bytes for file in manifest.files) / 1e6
    console.print(
        f"packed {counts} samples, {size:,.1f} MB, into {out.absolute()}", highlight=False, markup=False, soft_wrap=True
    )
    if len(manifest.parts) > 1:
        console.print(
            f"in a recipe:\n\ndata:\n  use: stored\n  path: {out.absolute()}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


def _upload(out: Path, url: str, console: Console) -> None:
    from rich.console import Console as Terminal

    from taskweave.cli.mistakes import INTERRUPTED
    from taskweave.cli.progress import bars
    from taskweave.data.store.places import upload

    try:
        with bars(Terminal(stderr=True)) as progress:
            upload(out, url, progress=progress)
    except KeyboardInterrupt as stop:
        typer.echo(f"stopped; the same command goes on from there, and until then {url} is no store", err=True)
        raise typer.Exit(INTERRUPTED) from stop
    console.print(f"uploaded to {url}", highlight=False, markup=False, soft_wrap=True)


def _check(store: Path, console: Console) -> None:
    from rich.console import Console as Terminal

    from taskweave.cli.mistakes import BAD_INPUT
    from taskweave.cli.progress import bars
    from taskweave.data.store.places import faults

    with bars(Terminal(stderr=True)) as progress:
        found = faults(store, progress=progress)
    for fault in found:
        console.print(fault, highlight=False, soft_wrap=True, markup=False)
    if found:
        raise typer.Exit(BAD_INPUT)
    console.print(f"{store}: every file is as it was written", highlight=False, markup=False, soft_wrap=True)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _size(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    height, cross, width = text.lower().partition("x")
    if not (cross and height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise ValueError(f"--size takes HEIGHTxWIDTH in pixels, e.g. 240x320; got {text!r}")
    return int(height), int(width)
