"""taskweave pack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, final

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from taskweave.data.dataset import LabelledSet
    from taskweave.experiments.data import Source


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
        asked = partial(opened, dataset, parts=_words(parts), labels=_words(labels), size=_size(size))
        _pack(asked, out, shard_mb << 20, console)
        if upload:
            _upload(out, upload, console)


def _pack(asked: Callable[[], Given], out: Path, shard_bytes: int, console: Console) -> None:
    from taskweave.cli.mistakes import INTERRUPTED
    from taskweave.cli.progress import bars, say
    from taskweave.data.store.packing import pack_store as write, read_journal

    try:
        given = asked()
        for note in given.notes:
            say(console, f"note: {note}", "dim")
        with bars() as progress:
            manifest = write(given.parts, out, source=given.source, shard_bytes=shard_bytes, progress=progress)
    except KeyboardInterrupt as stop:
        journal = read_journal(out)
        how_far = f" with {journal.done:,} of {journal.total:,} samples written" if journal else ""
        typer.echo(f"stopped{how_far}; the same command goes on from there, and until then {out} is no store", err=True)
        raise typer.Exit(INTERRUPTED) from stop
    counts = ", ".join(f"{part.items:,} ({name})" for name, part in manifest.parts.items())
    size = sum(file.bytes for file in manifest.files) / 1e6
    say(console, f"packed {counts} samples, {size:,.1f} MB, into {out.absolute()}")
    if len(manifest.parts) > 1:
        say(console, f"in a recipe:\n\ndata:\n  use: stored\n  path: {out.absolute()}")


def _upload(out: Path, url: str, console: Console) -> None:
    from taskweave.cli.mistakes import INTERRUPTED
    from taskweave.cli.progress import bars, say
    from taskweave.data.store.places import upload

    try:
        with bars() as progress:
            upload(out, url, progress=progress)
    except KeyboardInterrupt as stop:
        typer.echo(f"stopped; the same command goes on from there, and until then {url} is no store", err=True)
        raise typer.Exit(INTERRUPTED) from stop
    say(console, f"uploaded to {url}")


def _check(store: Path, console: Console) -> None:
    from taskweave.cli.mistakes import BAD_INPUT
    from taskweave.cli.progress import bars, say
    from taskweave.data.store.places import faults

    with bars() as progress:
        found = faults(store, progress=progress)
    for fault in found:
        say(console, fault)
    if found:
        raise typer.Exit(BAD_INPUT)
    say(console, f"{store}: every file is as it was written")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _size(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    height, cross, width = text.lower().partition("x")
    if not (cross and height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise ValueError(f"--size takes HEIGHTxWIDTH in pixels, e.g. 240x320; got {text!r}")
    return int(height), int(width)


@final
@dataclass(frozen=True)
class Given:
    """What was asked for. source: in JSON's types, for the record. notes: what a person may want to know."""

    parts: Mapping[str, LabelledSet]
    source: dict[str, Any]
    notes: tuple[str, ...] = ()


def opened(dataset: str, *, parts: Sequence[str], labels: Sequence[str], size: tuple[int, int] | None) -> Given:
    """The parts of a data set with these labels, at `size` or their own; () for all parts, or all labels.

    Raises FileNotFoundError where there is nothing, ValueError for a folder in no layout, or in several, a mixture of data
    sets, or an unknown part or label.
    """
    path = Path(dataset).expanduser().absolute()
    if path.is_dir():
        given = _of_folder(path, parts, labels)
    elif path.suffix in (".yaml", ".yml"):
        given = _of_recipe(path, parts, labels)
    else:
        found = "is a file" if path.exists() else "does not exist"
        raise FileNotFoundError(f"{path} {found}: give a data set's folder, or a YAML file with a recipe's data (use: ...)")
    if size is None:
        return given
    from taskweave.data.transformed import Reduced

    resized = {name: Reduced(part, size=size) for name, part in given.parts.items()}
    return Given(resized, {**given.source, "size": list(size)}, given.notes)


def _of_folder(path: Path, parts: Sequence[str], labels: Sequence[str]) -> Given:
    """All splits of the layout that the folder is in, each as its first view."""
    from taskweave.data.inspection.inspection import LAYOUTS
    from taskweave.data.inspection.layout import View

    layouts = [layout for layout in LAYOUTS if not layout.missing(path)]
    if not layouts:
        raise ValueError(
            f"{path} is in no layout that taskweave reads: `taskweave inspect-data {path}` says what it expected; or "
            "describe the data in a YAML file as in a recipe (use: ...), and pack that"
        )
    if len(layouts) > 1:
        names = [layout.reader for layout in layouts]
        raise ValueError(f"{path} can be read as {names}: say which in a YAML file (use: ..., path: ...), and pack that")
    layout = layouts[0]
    views: dict[str, View] = {}
    for view in layout.views(path):
        views.setdefault(view.split.replace(" ", "_"), view)  # a part's name becomes a folder's
    chosen = {name: views[name] for name in _known(parts, views, path)}
    opened = {name: view.open(tuple(labels) or view.labels) for name, view in chosen.items()}
    numbers = {name: view.classes for name, view in chosen.items() if view.classes is not None}
    notes = [f"{layout.name}, {', '.join(chosen)}"]
    notes += [f"{name} with {number} classes; for others, say so in a YAML file" for name, number in numbers.items()]
    return Given(opened, {"path": str(path), "use": layout.reader, "classes": numbers}, tuple(notes))


def _of_recipe(path: Path, parts: Sequence[str], labels: Sequence[str]) -> Given:
    """The train and test part of a recipe's data; what the recipe does to pictures is left to the recipe."""
    from taskweave.data.own import labelled

    data = _block(path)
    facts = data.facts
    wanted = tuple(labels) or data.labels or facts.labels
    if unknown := [label for label in wanted if label not in facts.labels]:
        raise ValueError(f"{path}: these data are not labelled for {unknown}; they have {list(facts.labels)}")
    there = ("train", "validation", "test") if facts.own_validation else ("train", "test")
    names = _known(parts, dict.fromkeys(there), path)
    opened = {name: labelled(data.dataset(name), facts).only(wanted) for name in names}
    notes = []
    if data.size is not None:
        size = f"{data.size[0]}x{data.size[1]}"
        notes = [f"pictures are packed as they lie, not at the recipe's size; --size {size} packs them at that"]
    source = {key: value for key, value in data.dump().items() if key not in ("augment", "regions")}
    return Given(opened, source, tuple(notes))


def _block(path: Path) -> Source:
    """The data that a YAML file describes: the block alone, or that of a whole recipe."""
    import yaml
    from pydantic import ValidationError

    from taskweave.experiments.data import Source
    from taskweave.experiments.recipe import plain
    from taskweave.parts import paths_from

    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    if isinstance(said, dict) and "use" not in said:
        said = said.get("data", said)
    if isinstance(said, dict) and "sets" in said and "use" not in said:
        raise ValueError(
            f"{path} is a mixture of {list(said['sets'])}: pack each data set by itself, from a file with its block"
        )
    try:
        with paths_from(path.parent):
            return Source.model_validate(said)
    except ValidationError as error:
        raise ValueError(f"{path}: {plain(error)}; expected the data of a recipe, e.g. use: nyuv2_folder") from error


def _known(parts: Sequence[str], there: Mapping[str, Any], path: Path) -> list[str]:
    if unknown := [part for part in parts if part not in there]:
        raise ValueError(f"{path} has no part {unknown[0]!r}; it has {list(there)}")
    return list(parts) or list(there)
