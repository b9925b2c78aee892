"""What people call the data of a recipe."""

from __future__ import annotations

from taskweave.experiments.choices.boxes import COCO, VOC, APascal, Birds, BoxCSV, PennFudan
from taskweave.experiments.choices.choice import Choice
from taskweave.experiments.choices.data import NYUv2Choice, ScenesData
from taskweave.experiments.choices.faces import IMDBWiki, UTKFace
from taskweave.experiments.choices.mixture import ONLY, sets_of
from taskweave.experiments.choices.pets_data import Pets, PetsH5, PetsSample
from taskweave.experiments.choices.store import StoreData
from taskweave.experiments.choices.streets import KITTI, CaltechChoice, CityPersons, CityscapesChoice
from taskweave.experiments.recipe import Recipe

_TITLES: tuple[tuple[type[Choice], str], ...] = (
    (ScenesData, "generated scenes"),
    (NYUv2Choice, "NYUv2"),
    (CityPersons, "CityPersons"),
    (CityscapesChoice, "Cityscapes"),
    (CaltechChoice, "Caltech Pedestrian"),
    (KITTI, "KITTI"),
    (PennFudan, "Penn-Fudan"),
    (APascal, "aPascal"),
    (VOC, "PASCAL VOC"),
    (COCO, "COCO"),
    (BoxCSV, "boxes in CSV"),
    (Birds, "birds"),
    (Pets, "Oxford-IIIT Pet"),
    (PetsH5, "Oxford-IIIT Pet"),
    (PetsSample, "100 of Oxford-IIIT Pet, inside the package"),
    (IMDBWiki, "IMDB-WIKI"),
    (UTKFace, "UTKFace"),
    (StoreData, "a store"),
)


def title_of(data: Choice, name: str = ONLY) -> str:
    """A data set's title. name: by which it goes in a mixture; told where many data sets have one form of files."""
    title = next((title for kind, title in _TITLES if isinstance(data, kind)), type(data).__name__)
    return f"{title} ({name})" if isinstance(data, Birds | BoxCSV | StoreData) and name != ONLY else title


def titles_of(recipe: Recipe) -> dict[str, str]:
    """{name of a data set or of a further test: its title}, those that are trained on first."""
    sets = {**sets_of(recipe.data), **{name: test.data for name, test in recipe.further_tests.items()}}
    return {name: title_of(data, name) for name, data in sets.items()}
