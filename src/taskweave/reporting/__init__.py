"""Results as tables and pictures: for the terminal, for files, for pages."""

from typing import TYPE_CHECKING

from taskweave.lazy import lazy_names

if TYPE_CHECKING:
    from taskweave.reporting.bar_charts import (
        face_histograms as face_histograms,
        gain_bars as gain_bars,
        metric_bars as metric_bars,
    )
    from taskweave.reporting.curve_charts import draw_curves as draw_curves, training_curves as training_curves
    from taskweave.reporting.formats import to_csv as to_csv, to_markdown as to_markdown
    from taskweave.reporting.page import page_of as page_of, write_page as write_page
    from taskweave.reporting.report import write_charts as write_charts, write_report as write_report
    from taskweave.reporting.tables import (
        Column as Column,
        Entry as Entry,
        Line as Line,
        Table as Table,
        table_of as table_of,
    )
    from taskweave.reporting.terminal import to_rich as to_rich
    from taskweave.reporting.tex import to_tex as to_tex
    from taskweave.reporting.unit_charts import attention_figure as attention_figure
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, __file__)
