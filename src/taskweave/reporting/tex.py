"""A table as LaTeX, with the rules of booktabs; all that is special to TeX is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence

from taskweave.reporting.formats import visible
from taskweave.reporting.layout import Piece, best_places, pieces_of
from taskweave.reporting.tables import Column, Entry, Table

_WIDEST = 6
"""Columns of numbers in one tabular."""
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}", "[": "{[}", "]": "{]}", "*": "{*}",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "±": r"$\pm$", "–": r"\textendash{}", "—": r"\textemdash{}",
    "×": r"$\times$", "→": r"$\to$", "·": r"$\cdot$",
    "Σ": r"$\Sigma$", "≤": r"$\le$", "≥": r"$\ge$", "…": r"\ldots{}", "\N{NO-BREAK SPACE}": "~", "−": "$-$",
}  # fmt: skip
_PREAMBLE = r"% needs \usepackage[T1]{fontenc} and \usepackage{booktabs,graphicx,textcomp}"
_FITTED = r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi"
"""Prints box 0, made smaller where it is wider than the text."""


def to_tex(table: Table) -> str:
    """A ``table`` for each task and one for gain and cost: means, spreads and gains as in Markdown, and the remarks below.

    The best of a column is bold. Letters that pdfTeX's T1 fonts lack are written as U+ and their number. None is wider than
    the text, and the remarks float with none, so that many methods still fit on a page.
    """
    best = best_places(table)
    parts = [_float(table, piece, best) for piece in pieces_of(table, widest=_WIDEST)] if table.lines else []
    below = [tex_text(remark) for remark in table.remarks]
    below += [f"{tex_text(line.method)}: {tex_text(line.note)}" for line in table.lines if line.note]
    legend = ["Bold: the best of its column, which says nothing of chance."] if best else []
    remarks = "\\\\\n".join([*legend, *below])
    return "\n".join([_PREAMBLE, *parts, rf"\par\medskip\noindent{{\footnotesize {remarks}\par}}"]) + "\n"


def _float(table: Table, piece: Piece, best: frozenset[tuple[int, int]]) -> str:
    marks = dict.fromkeys(letter for line in table.lines for place in piece.places for letter in line.entries[place].marks)
    notes = "\\\\\n".join(rf"{_raised(letter)}~{tex_text(table.notes[letter])}." for letter in marks)
    below = [r"\par\smallskip", rf"\parbox{{\linewidth}}{{\footnotesize {notes}}}"] if notes else []
    return "\n".join(
        (
            r"\begin{table}",
            r"\centering\small\setlength{\tabcolsep}{4pt}",
            rf"\caption{{{tex_text(table.title)}: {tex_text(piece.title)}.}}",
            r"\sbox0{%",
            _tabular(table, piece, best) + "}",
            _FITTED,
            *below,
            r"\end{table}",
        )
    )


def tex_text(text: str) -> str:
    """Any text as TeX that prints it, in one line."""
    letters = "".join(_letter(character) for character in visible(" ".join(text.split())))
    return letters.replace("--", "-{}-").replace("-{}--", "-{}-{}-").replace(",,", ",{},")


def _letter(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    # Latin letters with accents are in T1; anything else would stop pdflatex
    return character if character <= "\u017f" else f"U+{ord(character):04X}"


def _tabular(table: Table, piece: Piece, best: frozenset[tuple[int, int]]) -> str:
    columns = [table.columns[place] for place in piece.places]
    head = _row(["method", "seeds", *(_head(column) for column in columns)])
    span = f"& & \\multicolumn{{{len(columns)}}}{{c}}{{{tex_text(piece.title)}}} \\\\"
    rows = []
    for number, line in enumerate(table.lines):
        cells = [_cell(line.entries[place], table.columns[place], bold=(number, place) in best) for place in piece.places]
        rows.append(_row([tex_text(line.method), tex_text(line.counted), *cells]))
    return "\n".join(
        (
            rf"\begin{{tabular}}{{l{'r' * (1 + len(columns))}}}",
            r"\toprule",
            span,
            rf"\cmidrule(l){{3-{2 + len(columns)}}}",
            head,
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
        )
    )


def _head(column: Column) -> str:
    """Without its task, which stands above it; of a relative gain in two lines, which makes it half as wide."""
    title = column.head.removeprefix(f"{column.task} ")
    if column.kind != "relative_gain":
        return tex_text(title)
    words, _, kind = title.rpartition(" ")
    return rf"\shortstack[r]{{{tex_text(words)}\\{tex_text(kind)}}}"


def _cell(entry: Entry, column: Column, *, bold: bool) -> str:
    text = _number(entry.text)
    if bold:
        mean, spread, rest = text.partition(r" $\pm$ ")
        text = rf"\textbf{{{mean}}}{spread}{rest}"
    if column.kind == "relative_gain" and entry.interval:
        text += rf" {{\scriptsize {_number(entry.interval)}}}"
    return text + (_raised(",".join(entry.marks)) if entry.marks else "")


def _raised(letters: str) -> str:
    return rf"$^{{\mathrm{{{letters}}}}}$"


def _number(text: str) -> str:
    """A hyphen before a number is a minus sign."""
    return re.sub(r"(?<![0-9A-Za-z])-(?=[0-9])", r"$-$", tex_text(text))


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
