"""A comparison as one HTML page that needs nothing else: no network, no other file."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from taskweave.files import write_text
from taskweave.reporting.page_gains import gain_groups
from taskweave.reporting.page_pictures import Figures, figures_of
from taskweave.reporting.page_table import paper_sheets, whole_sheet
from taskweave.reporting.safe_text import visible
from taskweave.reporting.tables import table_of
from taskweave.results.comparison import ComparisonResult
from taskweave.results.folder import read_comparison

LARGEST = 10_000_000
"""Bytes of a page."""
_TEMPLATES = Path(__file__).parent / "templates"


def write_page(folder: Path, path: Path, *, images: bool = True) -> Path:
    """Write the page of the comparison in `folder`, whole or not at all. Returns `path`. Raises what `page_of` raises."""
    write_text(path, page_of(folder, images=images))
    return path


def page_of(folder: Path, *, images: bool = True, largest: int = LARGEST) -> str:
    """The page: verdict, table, gains, charts, pictures, and how all of it came to be.

    folder: holds comparison.json and, where they were drawn, charts/ and pictures/.
    images: False leaves out all that shows data; charts stay.
    largest: bytes. Pictures are made smaller and left out where it would be more, and the page says which.
    Raises OSError, ValueError for a file that is no comparison, or for numbers and recipe alone larger than `largest`.
    """
    result = read_comparison(folder)
    bare = len(_written(result, Figures((), (), (), private=False, remarks=())).encode())
    if bare > largest:
        raise ValueError(f"the tables of {folder} alone take {bare} bytes of a page of at most {largest}; use --format md")
    # words and tags around the pictures come on top: a page of hundreds leaves the last ones out a little early
    room = largest - bare - 20_000
    return _written(result, figures_of(result, folder, images=images, room=max(0, room)))


def _written(result: ComparisonResult, figures: Figures) -> str:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (Markup((_TEMPLATES / name).read_text(encoding="utf-8")) for name in ("page.css", "page.js"))
    table = table_of(result)
    return environment.get_template("page.html.j2").render(
        result=result,
        table=table,
        sheet=whole_sheet(table),
        paper=paper_sheets(table),
        gains=gain_groups(result),
        figures=figures,
        recipe=yaml.safe_dump(result.recipe, sort_keys=False, allow_unicode=True),
        style=style,
        script=script,
        policy=_policy(style, script),
    )


def _policy(style: str, script: str) -> str:
    """What a browser may load: pictures in the page, this style and this script, by their hashes, and nothing else."""
    return (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _shown(value: Any) -> Any:
    """What the template prints: text with nothing hidden in it."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
