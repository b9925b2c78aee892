"""Nothing in a comparison gets out of its place in the page, and the page loads nothing."""

import pytest
from PIL import Image
from reporting.compared import by_hand, folder_with
from reporting.parsed_page import check

from taskweave.reporting.formats import visible
from taskweave.reporting.page import page_of
from taskweave.results.comparison import ComparisonResult, Failure, Gain, Mark, Row, SeedGain, TransferWarning

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert('1')>",
    "' onmouseover='alert(1)",
    "</style></title></pre></script><b>",
    "]]>--><!-- &lt; &amp;quot; {{ 7*7 }} {% raw %}",
    "javascript:alert(1)",
    "https://evil.example/x.png //evil.example url(//evil) @import",
    "\u202egnp.exe\u2066 \u200bzero\u0000null",
    "$\\frac{1}{0}$ \\input{/etc/passwd} %s {0}",
]
OURS = ("script", "style")


def everywhere(bad: str) -> ComparisonResult:
    """The text in every place that a comparison has for text."""
    task, metric = f"task {bad}", f"metric {bad}"
    rows = [
        Row(
            method=method, seed=0, metrics={task: {metric: value}}, directions={task: {metric: "lower"}}, parameters=1,
            flops=1, recipe_hash=bad, runs=(bad,), marks=(Mark(task=task, metric=metric, reason=f"reason {bad}"),),
        )
        for method, value in ((f"base {bad}", 2.0), (f"method {bad}", 1.0))
    ]  # fmt: skip
    gain = Gain(
        method=f"method {bad}", kind="metric", task=task, metric=metric, value=1.0, seeds=(SeedGain(seed=0, value=1.0),)
    )
    return ComparisonResult(
        name=bad, recipe={"name": bad, bad: [bad]}, recipe_hash=bad, taskweave_version=bad, baseline=f"base {bad}",
        rows=tuple(rows), constant={task: {metric: 3.0}}, further=(f"further {bad}",), parts=(f"part {bad}",),
        missing=(f"missing {bad}",), failed=(Failure(method=f"lost {bad}", seed=1, run=bad, reason=f"why {bad}"),),
        gains=(gain,), command=f"command {bad}", machine=f"machine {bad}", versions={f"package {bad}": bad},
        warnings=(TransferWarning(method=bad, seed=1, task=task, place=f"place {bad}", since=3, message=f"message {bad}"),),
    )  # fmt: skip


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_names_stay_text_in_every_place(bad, tmp_path):
    result = everywhere(bad)
    name = bad.replace("/", "|").replace("\u0000", "")
    folder = folder_with(tmp_path / "c", result, charts=(name,), pictures=(f"p{name}",))
    page = check(page_of(folder))
    shown = " ".join(page.root.text.split())
    places = ("task", "metric", "base", "method", "reason", "further", "part", "missing", "lost", "why", "command",
              "machine", "package", "place", "message")  # fmt: skip
    for place in places:
        assert " ".join(f"{place} {visible(bad)}".split()) in shown, place
    assert {one.tag for one in page.elements} <= {one.tag for one in check(page_of(plain(tmp_path))).elements} | {"details"}
    assert len(page.all("img")) == 2
    assert page.all("h1")[0].words == " ".join(visible(bad).split())


def plain(tmp_path):
    return folder_with(tmp_path / "plain", by_hand(), charts=("gains", "losses"), pictures=("depth",))


def test_nothing_of_outside_is_named_but_what_names_hold(tmp_path):
    text = page_of(plain(tmp_path))
    page = check(text)
    ours = [one.text for tag in OURS for one in page.all(tag)]
    for part in (*ours, *(one.attributes["src"] for one in page.all("img"))):
        text = text.replace(part, "")
    assert not [
        word for word in ("http:", "https:", "//", "url(", "@import", "srcset", "fetch", "<link", "<base") if word in text
    ]


BROKEN = [
    ("<h1>", "<h1><b>"),
    ("</footer>", "</footer><link href='x'>"),
    ("</footer>", "</footer><img src='https://x.example/a.png' alt='x'>"),
    ("</footer>", "</footer><img src='data:text/html;base64,AAAA' alt='x'>"),
    ("</footer>", "</footer><a href='javascript:alert(1)'>x</a>"),
    ("</footer>", "</footer><p onclick='x'>x</p>"),
    ("</footer>", "</footer><p style='color:red'>x</p>"),
    ("</footer>", "</footer><script>alert(1)</script>"),
    ("</footer>", "</footer>\u202e"),
    ('"use strict";', '"use strict"; fetch("x");'),
    ("default-src 'none'".replace("'", "&#39;"), "default-src *"),
]


@pytest.mark.parametrize(("old", "new"), BROKEN, ids=[new[:50] for _, new in BROKEN])
def test_the_checks_can_fail(old, new, tmp_path):
    text = page_of(plain(tmp_path))
    assert old in text
    with pytest.raises(AssertionError):
        check(text.replace(old, new))


def test_only_what_is_a_picture_gets_in(tmp_path):
    folder = folder_with(tmp_path / "c", by_hand(), charts=("gains",), pictures=("depth",))
    (folder / "pictures" / "page.png").write_text("<script>alert(1)</script>")
    (folder / "charts" / "broken.svg").write_text("<svg><script>")
    (folder / "charts" / "other.svg").write_text('<html width="1" height="1"/>')
    whole = (folder / "pictures" / "depth.png").read_bytes()
    (folder / "pictures" / "half.png").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (4, 4)).save(folder / "pictures" / "renamed.png", "JPEG")
    page = check(page_of(folder))
    assert len(page.all("img")) == 2
    assert "Left out because their files are no whole pictures: broken, other, half, page, renamed." in page.root.text


def test_control_characters_are_written_out():
    assert visible("a\u202eb\u200d\u0007\u2028") == r"a\u202eb\u200d\u0007\u2028"
    assert visible("line\n\ttab ä 漢 ± –") == "line\n\ttab ä 漢 ± –"
    assert visible("\ud800 \U000e0041") == r"\ud800 \U000e0041"
