"""Which chart says what, and in which order."""

from reporting.compared import by_hand, folder_with
from reporting.parsed_page import check

from taskweave.reporting.page import page_of
from taskweave.reporting.page_figures import caption_of, place_of


def test_charts_of_one_kind_are_told_apart_by_their_names():
    assert caption_of("losses").title == "Losses while training"
    assert caption_of("alphas-cross-stitch").title == "Weights of the units, sorted: cross stitch"
    assert caption_of("alphas-NDDR").title != caption_of("alphas-cross-stitch").title
    assert caption_of("detection-on-aPascal-curves").title == "Curves of the detector: detection on aPascal"
    assert caption_of("lossesx") == ("lossesx", ""), "a chart that is not known goes by its name"
    for name in ("gains", "sweep-split", "class-gains-attributes-mAP", "transfer-gaps", "detection-curves"):
        assert caption_of(name).question.endswith("?"), name


def test_results_come_first_on_the_page(tmp_path):
    names = ("zebra", "weights", "class-gains-a", "transfer-gaps", "metrics", "detection-curves", "sweep-split")
    page = check(page_of(folder_with(tmp_path / "c", by_hand(), charts=names)))
    shown = [one.all("h3")[0].words for one in page.all("figure")]
    assert shown == [
        "Every metric", "Sweep: split", "Gain by class: a", "Negative transfer: gaps", "Weights of the losses",
        "Curves of the detector: detection", "zebra",
    ]  # fmt: skip
    assert place_of("metrics") < place_of("losses") < place_of("detection-curves")
