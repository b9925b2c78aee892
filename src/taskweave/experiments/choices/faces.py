"""Data sets of faces: age and gender. Pictures of them are of real persons and are not for publication."""

from __future__ import annotations

from typing import Annotated, Literal, final

from pydantic import Field

from taskweave.experiments.choices.data import FolderChoice, Share
from taskweave.experiments.choices.names import Names


class FacesChoice(FolderChoice):
    """What every data set of faces states; the releases have no split."""

    split_seed: int = 0
    """Draws the test part."""

    @property
    def native_size(self) -> tuple[int, int]:
        return (200, 200)

    @property
    def names(self) -> Names:
        from taskweave.data.readers.whole_images.faces import FACE_LABELS, GENDER, GENDERS

        return Names(FACE_LABELS, categories={GENDER: GENDERS})


@final
class UTKFace(FacesChoice):
    """UTKFace's cropped faces, age and gender in their names; drawn by time stamp, which does not tell persons apart."""

    kind: Literal["utkface"] = "utkface"
    test_share: Annotated[Share, Field(gt=0.0)] = 0.2


@final
class IMDBWiki(FacesChoice):
    """IMDB-WIKI: imdb_crop/ and wiki_crop/ with their .mat files (needs taskweave[data]); no subject is in both parts."""

    kind: Literal["imdb_wiki"] = "imdb_wiki"
    test_share: Annotated[Share, Field(gt=0.0)] = 2000 / 12325
    """Share of the subjects that are tested on; NDDR's 2,000 of 12,325 by default."""
    least_score: float = 1.0
    """Faces that the detector was less sure of are left out."""
