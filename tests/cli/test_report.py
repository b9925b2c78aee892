"""taskweave report, as people call it."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest
from cli.test_commands import taskweave
from reporting.compared import by_hand, folder_with
from reporting.parsed_page import check

from taskweave.reporting.formats import to_csv, to_markdown
from taskweave.reporting.tables import table_of
from taskweave.reporting.tex import to_tex
from taskweave.results.comparison import SCHEMA_VERSION


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder_with(tmp_path / "results" / "by hand", by_hand(), charts=("gains",), pictures=("depth",))
    (tmp_path / "results" / "runs" / "0123").mkdir(parents=True)
    return tmp_path


def test_a_page_beside_the_numbers(place: Path) -> None:
    done = taskweave("report", "results/by hand", cwd=place)
    file = place / "results" / "by hand" / "report.html"
    assert done.returncode == 0, done.stderr
    assert f"report: {file}" in done.stdout
    assert len(check(file.read_text()).all("img")) == 2


def test_the_only_comparison_of_a_folder_of_results_without_pictures_of_data(place: Path) -> None:
    done = taskweave("report", "results", "--no-images", "--out", "shown/page.html", cwd=place)
    assert done.returncode == 0, done.stderr
    (image,) = check((place / "shown" / "page.html").read_text()).all("img")
    assert image.attributes["src"].startswith("data:image/svg+xml;base64,")
    assert [path.name for path in (place / "shown").iterdir()] == ["page.html"]


@pytest.mark.parametrize(("form", "write"), [("md", to_markdown), ("tex", to_tex), ("csv", to_csv)])
def test_the_table_alone_on_the_screen_or_in_a_file(place: Path, form: str, write) -> None:
    expected = write(table_of(by_hand()))
    assert taskweave("report", "results/by hand", "--format", form, cwd=place).stdout == expected
    done = taskweave("report", "results/by hand", "--format", form, "--out", f"table.{form}", cwd=place)
    assert done.returncode == 0, done.stderr
    assert (place / f"table.{form}").read_text() == expected
    assert form != "csv" or len(list(csv.reader(io.StringIO(expected)))) == 1 + len(table_of(by_hand()).lines)


def test_mistakes_say_what_was_found_and_what_to_do(place: Path) -> None:
    folder_with(place / "results" / "another", by_hand())
    (place / "empty").mkdir()
    (place / "broken").mkdir()
    (place / "broken" / "comparison.json").write_text('{"name": "x"}')
    (place / "bytes").mkdir()
    (place / "bytes" / "comparison.json").write_bytes(b"\x7fELF\xd0\x00")
    (place / "file").touch()
    for arguments, words in (
        (("results",), "holds 2 comparisons; give one of them: results/another, results/by hand"),
        (("nowhere",), "nowhere is no folder: give that of a comparison"),
        (("empty",), "empty holds no comparison.json"),
        (("broken",), "is not what a comparison writes: recipe: Field required"),
        (("results/another", "--out", "empty"), "--out empty is a folder; give the file to write"),
        (("bytes",), "bytes/comparison.json is no text, so not what a comparison writes"),
        (("results/another", "--out", "file/page.html"), "file/page.html cannot be written (Not a directory)"),
        (("results/another", "--format", "pdf"), "'pdf'"),
    ):
        refused = taskweave("report", *arguments, cwd=place)
        assert refused.returncode == 2, arguments
        assert words in " ".join(refused.stderr.replace("│", " ").split()), refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_comparison_of_another_schema_is_refused(place: Path) -> None:
    by_hand(schema_version=1).save(place / "results" / "by hand" / "comparison.json")
    said = taskweave("report", "results", cwd=place).stderr
    assert "has schema version 1, this taskweave reads 2: repeat the command that wrote it" in " ".join(said.split())
    by_hand(schema_version=SCHEMA_VERSION + 1).save(place / "results" / "by hand" / "comparison.json")
    assert f"reads up to {SCHEMA_VERSION}: update it" in taskweave("report", "results", cwd=place).stderr


def test_it_needs_no_torch_to_say_how_it_is_used() -> None:
    code = "import sys; from taskweave.cli.report import report; from taskweave.results.folder import RESULT\n"
    code += "print([m for m in ('torch', 'matplotlib') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
