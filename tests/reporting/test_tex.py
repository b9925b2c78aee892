"""A table as LaTeX: rules, arrows, the best in bold, and nothing that TeX would read as a command."""

import re
import shutil
import subprocess

import pytest
from reporting.compared import by_hand

from taskweave.reporting.layout import best_places, pieces_of
from taskweave.reporting.tables import Column, Entry, Line, Table, table_of
from taskweave.reporting.tex import tex_text, to_tex

HOSTILE = r"\input{/etc/passwd} $x_1^2$ 50% & #1 ~ {a} [b] <c> |d| \\ `e' \"f\" * -- 漢" + "\u202e"


def table(rows: list[tuple[str, float | None, str]], direction: str = "higher", name: str = "mIoU") -> Table:
    column = Column("metric", f"seg {name} ↑", "seg", metric=name, direction=direction)
    lines = tuple(Line(method, 1, (Entry(value, text),)) for method, value, text in rows)
    return Table("t", (column,), lines, (), {})


def test_a_table_by_hand():
    text = to_tex(table([("single", 30.0, "30.00 ± 1.00"), ("NDDR", 31.5, "31.50 ± 2.00"), ("worse", -2.0, "-2.00")]))
    body = text[text.index(r"\toprule") : text.index(r"\end{tabular}")]
    assert body.splitlines() == [
        r"\toprule",
        r"& & \multicolumn{1}{c}{seg} \\",
        r"\cmidrule(l){3-3}",
        r"method & seeds & mIoU $\uparrow$ \\",
        r"\midrule",
        r"single & 1 & 30.00 $\pm$ 1.00 \\",
        r"NDDR & 1 & \textbf{31.50} $\pm$ 2.00 \\",
        r"worse & 1 & $-$2.00 \\",
        r"\bottomrule",
    ]


def test_every_number_of_the_table_is_there():
    shown = table_of(by_hand(gains=()))
    text = to_tex(shown).replace("$-$", "-").replace(r"$\pm$", "±").replace(r"\textbf{", "").replace("}", "")
    for line in shown.lines:
        for entry in line.entries:
            assert entry.value is None or entry.text in text, (line.method, entry)
    for end in (r"\begin{tabular", r"\toprule", r"\bottomrule", r"\end{tabular"):
        assert text.count(end) == 3, "two tasks, and gain and cost"
    assert "failed: seed 1: the loss of depth is nan at step 17" in text


@pytest.mark.parametrize("character", list("\\{}$&#%_^~"))
def test_what_tex_reads_as_a_command_is_escaped(character):
    """Every one of TeX's special characters that is left is the beginning of a command of ours, or its braces."""
    text = tex_text(f"a{character}b")
    rest = re.sub(r"\\(textbackslash|textasciicircum|textasciitilde)\{\}|\\[{}$&#%_]", "", text)
    assert rest == "ab", text


def test_hostile_text_stays_in_its_line_and_its_cell():
    text = tex_text(HOSTILE + "\nnew line")
    assert "\n" not in text
    unescaped = re.sub(r"\\([a-z]+\{\}|[{}$&#%_])|\{\[\}|\{\]\}|\{\*\}|-\{\}-|,\{\},", "", text)
    assert not re.search(r"[\\{}$&#%_^~\[\]]", unescaped), unescaped
    assert "U+6F22" in text and "u202e" in text and "--" not in text
    whole = to_tex(table([(HOSTILE, 1.0, "1.0"), ("b", 2.0, "2.0")], name=HOSTILE))
    rows = [line for line in whole.splitlines() if line.endswith(r"\\")]
    assert all(len(re.findall(r"(?<!\\)&", row)) == 2 for row in rows if "multicolumn" not in row and "&" in row)


@pytest.mark.slow
def test_compiles(tmp_path):
    compiler = shutil.which("pdflatex")
    if compiler is None:
        pytest.skip("there is no pdflatex here: what it would compile is only read by the other tests")
    rows = tuple(r.model_copy(update={"method": HOSTILE + r.method}) for r in by_hand().rows)
    named = by_hand(name=HOSTILE, baseline=f"{HOSTILE}single", rows=rows, gains=())
    head = "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{booktabs,graphicx,textcomp}\n"
    head += "\\begin{document}\n"
    (tmp_path / "t.tex").write_text(head + to_tex(table_of(named)) + "\\end{document}\n")
    run = subprocess.run(
        [compiler, "-interaction=nonstopmode", "-halt-on-error", "t.tex"], cwd=tmp_path, capture_output=True
    )
    assert run.returncode == 0, run.stdout.decode(errors="replace")[-2000:]


def test_the_best_reads_best_and_ties_are_shared():
    rows = [("a", 1.004, "1.00"), ("b", 1.001, "1.00"), ("c", 0.9, "0.90")]
    assert best_places(table(rows)) == {(0, 0), (1, 0)}
    assert best_places(table(rows, "lower")) == {(2, 0)}
    assert best_places(table(rows[:1])) == frozenset(), "one number is no best"
    assert best_places(table([("a", None, "–"), ("b", 2.0, "2.00"), ("c", 1.0, "1.00")])) == {(1, 0)}


def test_what_was_not_trained_here_is_never_the_best():
    shown = table([("a", 1.0, "1.00"), ("b", 2.0, "2.00")])
    constant = Line("constant", 0, (Entry(9.0, "9.00"),), "constant")
    printed = Line("paper's", 0, (Entry(9.0, "9.00"),), "printed")
    assert best_places(Table("t", shown.columns, (*shown.lines, constant, printed), (), {})) == {(1, 0)}


def columns(*kinds: tuple[str, str]) -> tuple[Column, ...]:
    return tuple(Column(kind, kind, task) for kind, task in kinds)


def test_pieces_hold_every_column_once_in_order_with_gains_beside_their_metrics():
    pair = lambda task: [("metric", task), ("gain", task)]  # noqa: E731
    heads = columns(*pair("a"), *(5 * pair("b")), ("relative_gain", ""), ("flops", ""))
    pieces = pieces_of(Table("t", heads, (), (), {}), widest=8)
    assert [piece.title for piece in pieces] == ["a", "b", "b", "gain and cost"]
    assert [len(piece.places) for piece in pieces] == [2, 4, 6, 2]
    assert [place for piece in pieces for place in piece.places] == list(range(14))
    for piece in pieces:
        assert heads[piece.places[0]].kind != "gain"
    with pytest.raises(ValueError, match="a metric and its gain"):
        pieces_of(Table("t", heads, (), (), {}), widest=1)
