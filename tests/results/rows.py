"""Comparisons with numbers written by hand: one metric of depth (lower is better), two of segmentation."""

from taskweave.results.comparison import ComparisonResult, Direction, Mark, Row

DIRECTIONS: dict[str, dict[str, Direction]] = {
    "segmentation": {"mIoU": "higher", "pixacc": "higher"},
    "depth": {"abs": "lower"},
}


def row(
    method: str, seed: int = 0, *, miou: float | None = 40.0, pixacc: float | None = 80.0, error: float | None = 2.0,
    marks: tuple[Mark, ...] = (),
) -> Row:  # fmt: skip
    metrics = {"segmentation": {"mIoU": miou, "pixacc": pixacc}, "depth": {"abs": error}}
    return Row(
        method=method, seed=seed, metrics=metrics, directions=DIRECTIONS, parameters=10, flops=20, recipe_hash="0",
        marks=marks, runs=(f"{method}-{seed}",),
    )  # fmt: skip


def comparison(*rows: Row, **changes: object) -> ComparisonResult:
    result = ComparisonResult(name="x", recipe={}, recipe_hash="1", taskweave_version="0", rows=rows)
    return result.model_copy(update=changes)
