"""Looking into what an inspection found."""


def the_only(found):
    """The layout of an inspection that found one."""
    (layout,) = found.layouts
    return layout


def facts_of(found, split, target):
    """The facts of a split's target in the only layout."""
    (part,) = [one for one in the_only(found).splits if one.split == split]
    (facts,) = [one for one in part.targets if one.target == target]
    return facts
