"""Results as tables and pictures: for the terminal, for files, for pages."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "Table": "tables",
    "Column": "tables",
    "Entry": "tables",
    "Line": "tables",
    "table_of": "tables",
    "to_markdown": "formats",
    "to_csv": "formats",
    "to_rich": "terminal",
    "to_tex": "tex",
    "page_of": "page",
    "write_page": "page",
    "write_report": "report",
    "write_charts": "report",
    "gain_bars": "bar_charts",
    "training_curves": "curve_charts",
    "draw_curves": "curve_charts",
    "attention_figure": "unit_charts",
    "metric_bars": "bar_charts",
    "face_histograms": "bar_charts",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: drawing libraries take a while to load."""
    if name in _HOME:
        return getattr(import_module(f"taskweave.reporting.{_HOME[name]}"), name)
    raise AttributeError(f"module 'taskweave.reporting' has no attribute {name!r}; it has {sorted(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from taskweave.reporting.bar_charts import face_histograms as face_histograms
    from taskweave.reporting.bar_charts import gain_bars as gain_bars
    from taskweave.reporting.bar_charts import metric_bars as metric_bars
    from taskweave.reporting.curve_charts import draw_curves as draw_curves
    from taskweave.reporting.curve_charts import training_curves as training_curves
    from taskweave.reporting.formats import to_csv as to_csv
    from taskweave.reporting.formats import to_markdown as to_markdown
    from taskweave.reporting.page import page_of as page_of
    from taskweave.reporting.page import write_page as write_page
    from taskweave.reporting.report import write_charts as write_charts
    from taskweave.reporting.report import write_report as write_report
    from taskweave.reporting.tables import Column as Column
    from taskweave.reporting.tables import Entry as Entry
    from taskweave.reporting.tables import Line as Line
    from taskweave.reporting.tables import Table as Table
    from taskweave.reporting.tables import table_of as table_of
    from taskweave.reporting.terminal import to_rich as to_rich
    from taskweave.reporting.tex import to_tex as to_tex
    from taskweave.reporting.unit_charts import attention_figure as attention_figure
