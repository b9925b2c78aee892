"""Makes the picture of a report that the README shows: the upper part of its page, in Chromium without a window.

    .venv/bin/taskweave demo --out results
    .venv/bin/python tools/make_report_screenshot.py results/demo [--out docs/images/report.png] [--height 1600]

Only for comparisons of data that may be published: generated scenes, or the sample of pets. The picture has at most 300 kB:
fewer colours are used until it has. Needs Chromium (Debian: apt-get install chromium) and the group `dev`.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from taskweave.files import write_bytes
from taskweave.reporting.page import write_page
from taskweave.reporting.page_figures import may_be_published
from taskweave.results.folder import read_comparison

LARGEST = 300_000
WIDTH = 1320


def screenshot(page: Path, height: int) -> Image.Image:
    """The upper `height` pixels of a page, light."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("there is no chromium; Debian has one: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": height}, color_scheme="light")
        tab.goto(page.as_uri())
        picture = tab.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": height}, full_page=True)
        browser.close()
    return Image.open(io.BytesIO(picture)).convert("RGB")


def as_png(picture: Image.Image) -> bytes:
    """A PNG of at most LARGEST bytes."""
    for colours in (256, 128, 64, 32):
        file = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        if file.tell() <= LARGEST:
            return file.getvalue()
    raise SystemExit(f"with 32 colours it still has {file.tell()} bytes, more than {LARGEST}: choose a smaller --height")


def main() -> None:
    """Read the command line and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comparison", type=Path, help="a comparison's folder")
    parser.add_argument("--out", type=Path, default=Path("docs/images/report.png"))
    parser.add_argument("--height", type=int, default=1600)
    given = parser.parse_args()
    if not may_be_published(read_comparison(given.comparison)):
        raise SystemExit(f"pictures of the data of {given.comparison} may not be published")
    with tempfile.TemporaryDirectory() as folder:
        content = as_png(screenshot(write_page(given.comparison, Path(folder) / "report.html"), given.height))
    write_bytes(given.out, content)
    print(f"{given.out}: {len(content)} bytes")


if __name__ == "__main__":
    main()
