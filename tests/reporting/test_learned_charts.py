"""Alpha values and sharing maps: what is drawn is what was learned."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from taskweave.reporting import unit_charts
from taskweave.reporting.unit_charts import draw_alphas, draw_sharing_map
from taskweave.results.run_files import PlaceLink


def link(place: str, source: str, to: str, relative: float | None = 1.0, alphas: tuple[float, ...] = ()) -> PlaceLink:
    return PlaceLink(place, source, to, source == to, 0.7, relative, alphas)


PER_CHANNEL = [
    link("pool1", "a", "a", alphas=(0.9, 0.7, 0.8)),
    link("pool1", "b", "a", alphas=(0.3, 0.1, 0.2)),
    link("pool5", "a", "a", alphas=(0.5, 0.4)),
]
PER_LAYER = [link(place, "a", "a", alphas=(value,)) for place, value in (("pool1", 0.9), ("pool5", 0.4))]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    figures: list[Figure] = []
    monkeypatch.setattr(unit_charts, "save_figure", lambda figure, path: figures.append(figure) or path)
    return figures


def test_each_line_is_sorted_by_itself_and_other_sources_are_dashed(kept: list[Figure]) -> None:
    draw_alphas(PER_CHANNEL, Path("a.png"))
    first, second = (axes for axes in kept[0].axes if axes.get_title())
    assert (first.get_title(), second.get_title()) == ("pool1", "pool5")
    same, other = first.lines
    assert list(same.get_ydata()) == [0.7, 0.8, 0.9] and list(other.get_ydata()) == [0.1, 0.2, 0.3]
    assert list(same.get_xdata()) == [0.0, 50.0, 100.0]
    assert (same.get_linestyle(), other.get_linestyle()) == ("-", "--")
    assert [text.get_text() for text in kept[0].legends[0].get_texts()] == ["a: same task", "a: from b"]
    assert list(second.lines[0].get_ydata()) == [0.4, 0.5]


def test_one_weight_per_layer_is_a_point_per_place(kept: list[Figure]) -> None:
    draw_alphas(PER_LAYER, Path("a.png"))
    (axes,) = kept[0].axes
    (line,) = axes.lines
    assert list(line.get_ydata()) == [0.9, 0.4] and line.get_marker() not in ("", "None")
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["pool1", "pool5"]


def test_a_map_holds_the_mean_over_seeds(kept: list[Figure]) -> None:
    seeds = [[link("s1", "a", "a"), link("s1", "b", "a", value), link("s2", "b", "a", None)] for value in (0.2, 0.4)]
    draw_sharing_map({"ours": seeds, "single": [[]], "other": [[link("s1", "b", "a", 3.0)]]}, Path("a.png"))
    ours, other = (axes for axes in kept[0].axes if axes.get_title())
    assert ours.get_title() == "ours (mean of 2 seeds)" and other.get_title() == "other"
    (image,) = ours.images
    assert image.get_array()[0, 0] == pytest.approx(0.3 / 1.3), "the shade is the share of both"
    assert bool(image.get_array().mask[1, 0])
    assert [text.get_text() for text in ours.texts] == ["0.30", "0.70"], "where nothing is its own: the norm itself"
    assert [tick.get_text() for tick in ours.get_yticklabels()] == ["s1", "s2"]
    assert [text.get_text() for text in other.texts] == ["3.00"]


def test_files_and_refusals(tmp_path: Path) -> None:
    written = [draw_alphas(PER_CHANNEL, tmp_path / "a.png"), draw_sharing_map({"x": [PER_CHANNEL]}, tmp_path / "m.png")]
    for path in written:
        assert Image.open(path).width > 400 and path.with_suffix(".svg").stat().st_size > 1000
    with pytest.raises(ValueError, match="none of 1 links has weights per channel or layer"):
        draw_alphas([link("s", "a", "b")], tmp_path / "x.png")
    with pytest.raises(ValueError, match=r"no method of \['single'\] has a link between two streams"):
        draw_sharing_map({"single": [PER_LAYER]}, tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()
