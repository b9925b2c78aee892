"""What a paper prints for the methods of a comparison: numbers that stand beside ours and count in nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from taskweave.experiments.choices.printed import Printed
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.set_up import differences
from taskweave.results.comparison import ComparisonResult

BESIDE = "printed in the paper"


@final
class PrintedNumbers:
    """The printed numbers of a comparison's recipe; none where no paper prints a table of it."""

    def __init__(self, result: ComparisonResult) -> None:
        self._result = result
        content = result.recipe.get("printed")
        self._printed = None if content is None else Printed.model_validate(content)

    def of(self, method: str, task: str, metric: str) -> float | None:
        """What stands at a method and a column; None where nothing is printed."""
        return None if self._printed is None else self._printed.rows.get(method, {}).get(task, {}).get(metric)

    def remarks(self) -> Iterator[str]:
        """What the numbers are from, what has no counterpart, and how the set-up differs from the paper's."""
        if self._printed is None:
            return
        printed, labels = self._printed, self._result.methods
        here = {label: " and ".join(names) for label, names in printed.names.items() if label in labels}
        yield (
            f"{BESIDE}: {printed.paper}, {printed.table} ({printed.caption}), as printed; counted in no mean and no gain"
            + (f". Its rows: {', '.join(f'{theirs} at {ours}' for ours, theirs in here.items())}." if here else ".")
        )
        alone = [label for label in labels if label not in printed.names]
        if printed.only_printed:
            yield f"printed, but not here: {'; '.join(printed.only_printed)}."
        if alone and printed.rows:
            yield f"here, but not printed: {'; '.join(alone)}."
        if printed.set_up:
            yield _set_up(self._result, printed)
        yield from printed.notes
        if printed.doubts:
            yield f"in the printed table or its text: {' '.join(printed.doubts)}"


def _set_up(result: ComparisonResult, printed: Printed) -> str:
    """The line that says how the set-up differs from the paper's, which is as the recipe of full size reads it."""
    recipe = Recipe.model_validate(result.recipe)
    aspects = [*_images(result, printed), *differences(recipe, printed.set_up)]
    if not aspects:
        return f"set-up: the paper's, as our recipe of full size reads it. {recipe.notes}".strip()
    return f"set-up here [in the paper, as our recipe of full size reads it]: {'; '.join(aspects)}."


def _images(result: ComparisonResult, printed: Printed) -> Iterator[str]:
    """How many pictures were read, beside the paper's."""
    ours = [f"{part} {count:,}" for part, count in result.images.items()]
    theirs = [f"{part} {count:,}" for part, count in printed.pictures.items()]
    if ours and list(result.images.values()) != list(printed.pictures.values()):  # parts have other names there
        yield f"number of pictures: {', '.join(ours)} [{', '.join(theirs) or 'not printed'}]"
