"""What is on a report's page, and what is left out of it."""

import base64
import io

import pytest
import yaml
from PIL import Image
from reporting.compared import SVG, by_hand, folder_with, noise
from reporting.parsed_page import check

from taskweave.reporting.page import page_of, write_page
from taskweave.reporting.tables import table_of
from taskweave.results.comparison import ComparisonResult


@pytest.fixture
def folder(tmp_path):
    return folder_with(tmp_path / "c", by_hand(), charts=("gains", "losses", "alphas"), pictures=("depth", "segmentation"))


def images(page):
    return [base64.b64decode(one.attributes["src"].partition(",")[2]) for one in page.all("img")]


def test_verdict_command_machine_versions_and_recipe(folder):
    result, page = by_hand(), check(page_of(folder))
    assert page.all("h1")[0].words == "by hand"
    leads = [one.words for one in page.all("p") if one.attributes.get("class") == "lead"]
    assert leads == list(table_of(result).verdict) and len(leads) == 2
    codes = [one.text for one in page.all("code")]
    assert result.command in codes and result.recipe_hash in codes
    assert {f"runs/{run}" for row in result.rows for run in row.runs} <= set(codes)
    for text in (result.machine, "python 3.11.9", "torch 2.15.0"):
        assert text in page.root.text
    assert yaml.safe_load(page.all("pre")[0].text) == result.recipe


def test_what_failed_and_what_is_not_trained_yet_is_marked(folder):
    page = check(page_of(folder))
    alerts = " ".join(one.words for one in page.all("p") if one.attributes.get("class") == "alert")
    assert "1 run failed." in alerts and "Not trained yet: sluice, seed 0." in alerts
    assert "1 warning of negative transfer." in alerts
    rows = [[cell.words for cell in row.inside] for row in page.all("tr")]
    assert ["sluice", "1", "the loss of depth is nan at step 17", "runs/feed"] in rows
    assert ["NDDR", "2", "depth", "layer3", "120", "apart"] in rows


def test_a_comparison_of_nothing_but_failures_is_a_page(tmp_path):
    page = check(page_of(folder_with(tmp_path / "c", by_hand(rows=(), gains=(), warnings=(), constant={}))))
    assert "the loss of depth is nan at step 17" in page.root.text
    assert page.all("h1")[0].words == "by hand"


def test_gains_with_their_intervals(folder):
    page = check(page_of(folder))
    (row,) = (
        [cell.words for cell in row.inside]
        for row in page.all("tr")
        if [cell.words for cell in row.inside][:2] == ["NDDR", "+9.38"]
    )
    assert row == ["NDDR", "+9.38", "[+2.01, +16.75]", "yes", "seed 0: +15.00 [+11.00, +19.00] seed 1: -2.06"]


def test_charts_say_which_question_they_answer_and_an_svg_is_preferred_where_it_is_smaller(folder):
    page = check(page_of(folder))
    charts = [one for one in page.all("figure") if "Chart" in one.all("img")[0].attributes["alt"]]
    assert len(charts) == 3
    for one in charts:
        assert one.all("figcaption")[0].words.endswith("?"), one.text
        assert one.all("img")[0].attributes["src"].startswith("data:image/svg+xml;base64,")
    assert images(page).count(SVG.encode()) == 3
    size = charts[0].all("img")[0].attributes
    assert (size["width"], size["height"]) == ("400", "200"), "300pt x 150pt in pixels of CSS"
    (folder / "charts" / "losses.svg").write_text(SVG + " " * 10**6)
    assert images(check(page_of(folder))).count(SVG.encode()) == 2
    assert (folder / "charts" / "losses.png").read_bytes() in images(check(page_of(folder)))


def test_no_images_leaves_out_all_pictures_and_no_chart(folder):
    shown, hidden = check(page_of(folder)), check(page_of(folder, images=False))
    pictures = [path.read_bytes() for path in sorted((folder / "pictures").iterdir())]
    assert all(picture in images(shown) for picture in pictures)
    assert images(hidden) == [SVG.encode()] * 3
    assert "Pictures of data are left out, as was asked for." in hidden.root.text
    assert not [one for one in hidden.elements if one.attributes.get("id") == "pictures"]


def test_pictures_of_data_that_may_not_be_published_carry_a_warning(folder):
    words = "For your own use: these data may not be published."
    assert words not in page_of(folder), "generated scenes may be"
    for said in ({"data": False}, {"data": True, "nyu": False}, {}):
        by_hand(may_be_published=said).save(folder / "comparison.json")
        page = check(page_of(folder))
        warned = [one for one in page.all("figure") if words in one.text]
        assert [one.all("h3")[0].words for one in warned] == ["depth", "segmentation"], said


def test_a_comparison_whose_gains_and_versions_are_not_known(tmp_path):
    folder = folder_with(tmp_path / "c", by_hand(), pictures=("depth",))
    by_hand(gains=(), failed=(), warnings=(), versions={}).save(folder / "comparison.json")
    result = ComparisonResult.load(folder / "comparison.json")
    left_out = {"gains", "failed", "warnings", "versions"}
    (folder / "comparison.json").write_text(result.model_dump_json(exclude=left_out))
    page = check(page_of(folder))
    assert "taskweave 0.1.0" in page.root.text
    assert len(page.all("img")) == 1


def test_a_page_over_its_size_shrinks_pictures_then_leaves_them_out_and_says_so(tmp_path):
    folder = folder_with(tmp_path / "c", by_hand(), charts=("gains",), pictures=("a",))
    for name in ("b", "c", "d"):
        noise((1500, 300)).save(folder / "pictures" / f"{name}.png")
    whole = len(page_of(folder).encode())
    assert whole > 4_000_000
    text = page_of(folder, largest=1_200_000)
    page = check(text)
    assert len(text.encode()) <= 1_200_000
    assert "Made smaller to keep the page small: " in page.root.text
    assert "Left out" not in page.root.text
    assert [Image.open(io.BytesIO(one)).size for one in images(page)[2:]] == [(1100, 220)] * 3
    text = page_of(folder, largest=500_000)
    page = check(text)
    assert len(text.encode()) <= 500_000
    names = page.root.text.partition("Left out to keep the page small; they are in the comparison's folder: ")[2]
    left_out = names.partition(".")[0].split(", ")
    assert left_out and ["a", "b", "c", "d"][-len(left_out) :] == left_out, "the last ones"
    assert len(images(page)) == 1 + 4 - len(left_out)
    assert images(page)[0] == SVG.encode(), "charts stay as they are"
    with pytest.raises(ValueError, match=r"tables of .* alone take"):
        page_of(folder, largest=1000)


def test_the_page_is_the_same_each_time_and_written_whole(folder, tmp_path):
    assert write_page(folder, tmp_path / "new" / "page.html") == tmp_path / "new" / "page.html"
    assert (tmp_path / "new" / "page.html").read_text() == page_of(folder)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["page.html"]


def test_rows_of_one_method_stay_together_when_sorted_and_what_is_missing_has_no_value(folder):
    page = check(page_of(folder))
    table = page.sortable
    names = [[row.inside[0].attributes["data-value"] for row in body.inside] for body in table.all("tbody")]
    assert names == [["single"], ["NDDR"], ["cross-stitch"], ["sluice"], ["constant prediction"]]
    values = {
        row.inside[0].words.split(" failed")[0]: row.inside[1].attributes["data-value"] for row in table.all("tr")[2:]
    }
    assert values == {"single": "3", "NDDR": "3", "cross-stitch": "3", "sluice": "", "constant prediction": ""}
    orders = {one.words: one.attributes["data-first"] for one in table.all("th") if "aria-sort" in one.attributes}
    assert (orders["mIoU ↑"], orders["abs ↓"], orders["parameters"]) == ("descending", "ascending", "ascending")


def test_what_a_paper_prints_stays_below_its_method(tmp_path):
    printed = {"paper": "A. Author, Nets", "table": "Table 9", "rows": {"NDDR": {"segmentation": {"mIoU": 36.2}}}}
    result = by_hand(printed=printed)
    page = check(page_of(folder_with(tmp_path / "c", result)))
    (together,) = (body.inside for body in page.sortable.all("tbody") if len(body.inside) > 1)
    ours, theirs = (row.inside for row in together)
    assert ours[0].attributes["data-value"] == "NDDR" and "printed" in theirs[0].words
    assert theirs[2].attributes["data-value"] == "36.2", "the printed number"
    assert not any(cell.all("strong") for cell in theirs), "never the best of ours"
    assert "Table 9" in page.root.text
