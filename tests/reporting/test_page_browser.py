"""The report as people open it: a file, in Debian's Chromium without a window."""

import io
import shutil

import pytest
from PIL import Image
from reporting.compared import by_hand, folder_with

from taskweave.reporting.page import write_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MEAN_MIOU = {"single": 33.0, "NDDR": 36.0, "cross-stitch": 32.0, "constant prediction": 5.0}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("there is no chromium here (.ci/run installs Debian's): the page is only checked as text")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser: it is in the group dev")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = folder_with(
        tmp_path_factory.mktemp("browser") / "c", by_hand(), charts=("gains", "losses"), pictures=("depth",)
    )
    return write_page(folder, folder / "report.html")


@pytest.fixture
def opened(browser, file):
    """A function that opens the page with some settings; whatever goes wrong in it fails the test."""
    wrong, contexts = [], []

    def open_page(**settings):
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 800}, **settings})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", lambda request: wrong.append(request.url[:80]))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or wrong.append(request.url[:80]))
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong, wrong


def methods(page):
    return page.eval_on_selector_all("table.sortable tbody tr > th", "all => all.map(one => one.dataset.value)")


def test_it_opens_from_a_file_and_every_picture_loads(opened):
    page = opened()
    widths = page.evaluate("Array.from(document.images, one => one.complete && one.naturalWidth)")
    assert len(widths) == 3 and all(widths), widths
    assert page.title() == "by hand – taskweave report"


def test_style_and_script_run_under_the_policy_and_nothing_else_does(browser, file):
    """What the page refuses is told on the console, so that the other tests' pages, which say nothing, refuse nothing."""
    page, said = browser.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.goto(file.as_uri())
    assert page.eval_on_selector(".unseen", "one => getComputedStyle(one).position") == "absolute"
    assert said == []
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p id=odd style=\"color: rgb(1, 2, 3)\">x</p>')")
    assert page.eval_on_selector("#odd", "one => getComputedStyle(one).color") != "rgb(1, 2, 3)"
    page.evaluate("void fetch('https://example.org/').catch(() => { document.body.dataset.refused = 'yes' })")
    page.wait_for_selector("body[data-refused=yes]")
    assert len(said) >= 2 and all("Content Security Policy" in one for one in said), said
    page.close()


def sort_state(page):
    return page.eval_on_selector_all(
        "table.sortable th[aria-sort]", "all => all.map(one => [one.innerText.trim(), one.getAttribute('aria-sort')])"
    )


@pytest.mark.parametrize("press", ["click", "Enter", "Space"])
def test_sorting(opened, press):
    page = opened()
    button = page.locator("table.sortable button[data-spoken='segmentation mIoU']")
    recipe_order = methods(page)

    def act():
        if press == "click":
            button.click()
        else:
            button.focus()
            page.keyboard.press(press)

    act()
    best_first = sorted(MEAN_MIOU, key=lambda name: -MEAN_MIOU[name])
    assert methods(page) == [*best_first, "sluice"], "what failed has no value: last"
    assert [order for _, order in sort_state(page) if order != "none"] == ["descending"]
    assert page.inner_text("#said") == "sorted by segmentation mIoU, descending"
    act()
    assert methods(page) == [*reversed(best_first), "sluice"], "last in either order"
    act()
    assert methods(page) == recipe_order
    assert {order for _, order in sort_state(page)} == {"none"}


def test_lower_is_better_sorts_the_other_way_and_names_sort_as_text(opened):
    page = opened()
    page.click("table.sortable button[data-spoken='depth abs']")
    # means .6, .56, .5 and the constant's .9
    assert methods(page) == ["cross-stitch", "NDDR", "single", "constant prediction", "sluice"]
    page.click("table.sortable button[data-spoken='method']")
    assert methods(page) == ["constant prediction", "cross-stitch", "NDDR", "single", "sluice"]


def test_light_and_dark_differ(opened):
    found = {}
    for scheme in ("light", "dark"):
        page = opened(color_scheme=scheme)
        ground, ink = (page.evaluate(f"getComputedStyle(document.body).{what}") for what in ("backgroundColor", "color"))
        found[scheme] = [sum(int(part) for part in colour.strip("rgb()").split(",")) for colour in (ground, ink)]
    (light, dark_ink), (dark, light_ink) = found["light"], found["dark"]
    assert light > 3 * 240 and dark < 3 * 40
    assert dark_ink < 3 * 60 and light_ink > 3 * 200


def test_the_keyboard_reaches_everything_in_order_and_leaves_again(opened):
    page = opened()
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        at = page.evaluate(
            "(one => one === document.body ? '' : [one.tagName, (one.innerText || one.ariaLabel || '').trim()].join(' '))"
            "(document.activeElement)"
        )
        if not at:
            break
        reached.append(at)
    else:
        pytest.fail(f"60 times Tab does not leave the page: {reached}")
    assert reached[0] == "A Skip to the verdict"
    wanted = ["A Table", "BUTTON method", "BUTTON mIoU ↑", "SUMMARY Where the runs lie", "SUMMARY The recipe, every field"]
    assert [at for at in reached if at in wanted] == wanted
    page.keyboard.press("Tab")
    page.focus(".skip")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    ring = page.eval_on_selector("nav a", "one => { one.focus(); return getComputedStyle(one).outlineStyle }")
    assert ring == "solid"


def test_a_phone_scrolls_the_table_and_not_the_page_and_keeps_the_methods_in_sight(opened):
    page = opened(viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.eval_on_selector(".paperless", "one => one.scrollWidth > one.clientWidth")
    left = "document.querySelector('table.sortable tbody th').getBoundingClientRect().left"
    before = page.evaluate(left)
    page.eval_on_selector(".paperless", "one => { one.scrollLeft = 150 }")
    assert page.evaluate(left) == before


def test_it_prints_on_white_with_nothing_folded_or_cut(opened):
    page = opened(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.is_visible("table.sortable") and page.is_visible(".paper table")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    page.set_viewport_size({"width": 688, "height": 1000})  # A4 less its margins, in pixels of CSS
    cut = page.eval_on_selector_all(
        "table, img, pre",
        "all => all.filter(one => one.getBoundingClientRect().right > 690).map(one => one.outerHTML.slice(0, 90))",
    )
    assert cut == []
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelectorAll('details[open]').length") == 0
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_a_screenshot_is_no_blank(opened):
    picture = Image.open(io.BytesIO(opened().screenshot()))
    assert len(picture.convert("RGB").getcolors(1 << 24)) > 50
