"""Whether pictures of a comparison's data may be shown to others."""

from __future__ import annotations

from taskweave.results.comparison import ComparisonResult


def may_be_published(result: ComparisonResult) -> bool:
    """Whether all data behind it may be: those of the recipe and those of its further tests.

    Where the recipe is not one that this program reads, the answer is no: nobody's pictures are shown by mistake.
    """
    from taskweave.experiments.recipe import Recipe

    try:
        recipe = Recipe.model_validate(result.recipe)
    except ValueError:
        return False
    return recipe.data.may_be_shown and all(test.data.may_be_shown for test in recipe.further_tests.values())
