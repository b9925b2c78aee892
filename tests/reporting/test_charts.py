"""What all charts share: two whole files, the same every time, text that is never mathematics, styles for every eye."""

import itertools
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from taskweave.reporting import charts
from taskweave.reporting.charts import BLUE, COLOURS, VERMILLION, figure_with_legend, save_figure, shown, styles_of

HOSTILE = "<b>&$x_1$ \"'_^{\\frac"


def figure(label: str = HOSTILE) -> Figure:
    made = Figure(figsize=(3, 2))
    axes = made.add_subplot()
    axes.plot([1, 2], [0.01, 10.0])
    axes.set_yscale("log")
    axes.set_title(label)
    axes.set_xticks([1, 2], ["$a_", label])
    return made


def test_a_png_and_an_svg_with_text_as_it_is(tmp_path: Path) -> None:
    path = save_figure(figure(), tmp_path / "deep" / "a.png")
    assert Image.open(path).format == "PNG"
    tree = ElementTree.parse(path.with_suffix(".svg"))
    written = {"".join(node.itertext()) for node in tree.iter("{http://www.w3.org/2000/svg}text")}
    assert {HOSTILE, "$a_", "0.01", "1", "10"} <= written
    assert not any("mathdefault" in text for text in written)
    assert sorted(file.name for file in path.parent.iterdir()) == ["a.png", "a.svg"]


def test_an_svg_is_the_same_file_every_time(tmp_path: Path) -> None:
    one, two = (save_figure(figure(), tmp_path / name).with_suffix(".svg") for name in ("a.png", "b.png"))
    assert one.read_bytes() == two.read_bytes() and b"<dc:date>" not in one.read_bytes()


def test_both_files_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"before")
    draw = charts._draw
    monkeypatch.setattr(charts, "_draw", lambda made, file, kind: draw(made, file, kind) if kind == "png" else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_figure(figure(), path)
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]
    with pytest.raises(ValueError, match=r"saved as NAME.png, with NAME.svg beside it; got 'a.svg'"):
        save_figure(figure(), tmp_path / "a.svg")


def test_no_two_labels_differ_in_their_colour_alone() -> None:
    styles = styles_of([str(number) for number in range(36)])
    for one, two in itertools.combinations(styles.values(), 2):
        assert (one.dashes, one.marker) != (two.dashes, two.marker)


def dichromat(colour: str, missing: int) -> tuple[float, ...]:
    """What an eye without one kind of cone sees; Machado et al. (2009), table 1, severity 1."""
    matrices = [
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return tuple(sum(weight * c for weight, c in zip(row, linear, strict=True)) for row in matrices[missing])


@pytest.mark.parametrize("missing", [0, 1, 2], ids=["no red", "no green", "no blue"])
def test_colours_stay_apart_for_eyes_without_one_kind_of_cone(missing: int) -> None:
    seen = {colour: dichromat(colour, missing) for colour in COLOURS}
    apart = {
        pair: max(abs(a - b) for a, b in zip(seen[pair[0]], seen[pair[1]], strict=True))
        for pair in itertools.combinations(COLOURS, 2)
    }
    assert min(apart.values()) > 0.05, min(apart, key=lambda pair: apart[pair])
    assert apart[BLUE, VERMILLION] > 0.2, "gains and losses"


def test_names_are_broken_into_lines_and_cut() -> None:
    assert shown("one two three", 7) == "one two\nthree"
    assert shown("a\tb\x00c\nd", 20) == "a b c d"
    assert shown("word " * 30, 10, lines=2).endswith("…") and len(shown("w" * 99, 10).splitlines()) == 3
    assert shown("") == ""


def test_a_legend_under_the_panels_tells_all_lines_apart() -> None:
    labels = [f"training {number}" for number in range(23)]
    figure, styles = figure_with_legend((5.0, 3.6), labels)
    assert len(set(styles.values())) == 23
    assert [text.get_text() for text in figure.legends[0].get_texts()] == labels
    few, _ = figure_with_legend((5.0, 3.6), labels[:3])
    assert figure.get_figheight() > few.get_figheight() > 3.6
    assert figure.get_figwidth() == few.get_figwidth() == 5.0
