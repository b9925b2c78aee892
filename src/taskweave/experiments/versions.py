"""Which version of what is made here, and not read from files, a run saw: a part of what determines it."""

from __future__ import annotations

from collections.abc import Iterable

from taskweave.experiments.choices.data import NYUv2Folder, NYUv2Mat, ScenesData
from taskweave.experiments.choices.mixture import OneSet


def versions_of(sets: Iterable[OneSet], tasks: Iterable[str]) -> dict[str, int]:
    """{"scenes" or "normals": version} of generated scenes and of normals computed from depth, where `sets` have them.

    First versions are not counted: runs were stored before versions were.
    """
    from taskweave.data.generated.scenes import GENERATOR_VERSION
    from taskweave.data.normals import METHOD

    sets = list(sets)
    found: dict[str, int] = {}
    if any(isinstance(one, ScenesData) for one in sets):
        found["scenes"] = GENERATOR_VERSION
    if "normals" in tasks and any(isinstance(one, NYUv2Folder | NYUv2Mat) for one in sets):
        found["normals"] = METHOD
    return {name: version for name, version in found.items() if version > 1}
