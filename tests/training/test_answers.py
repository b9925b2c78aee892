"""Tasks with one answer per image from samples to numbers and pictures: trained, measured, ensembled, predicted, drawn."""

from types import SimpleNamespace

import pytest
import torch
from experiments.tiny import tiny
from torch import nn
from torchvision import tv_tensors
from training import toys

from taskweave.data.boxes import bounding_boxes
from taskweave.data.transforms.augmentation import ToInput
from taskweave.experiments.artifacts.predictions import drawn_truth
from taskweave.experiments.bench import Bench
from taskweave.experiments.measuring import Averaged
from taskweave.experiments.predicting import predicted
from taskweave.features import FeatureShape
from taskweave.heads import PooledLinear
from taskweave.images import IMAGENET
from taskweave.parts import part
from taskweave.streams.stream import Stream
from taskweave.tasks import Age, BoxRegression, Classification, Segmentation
from taskweave.training import fit, validate
from taskweave.weaving.connected import Connected, Ensemble

TASKS = {"species": Classification(["cat", "dog"]), "box": BoxRegression(), "age": Age()}
SIZE = (8, 16)


class Bright:
    """Dark cats of 20 with a box at the left, bright dogs of 60 with one at the right; every third has no box."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, at: int | tuple[int, int]) -> dict[str, object]:
        index = at if isinstance(at, int) else at[0]
        dog = index % 2
        left = 10.0 * dog
        sample = {
            "image": tv_tensors.Image(torch.full((3, *SIZE), 40 + 180 * dog, dtype=torch.uint8)),
            "key": str(index),
            "species": torch.tensor(dog),
            "age": torch.tensor(20 + 40 * dog),
        }
        if index % 3 != 2:
            sample["box"] = bounding_boxes([[left, 2.0, left + 6, 8.0]], SIZE)
        return sample if isinstance(at, int) else ToInput(IMAGENET)(sample)


def network() -> Connected:
    def stream(outputs: int) -> Stream:
        net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), PooledLinear(FeatureShape.image(8), outputs))
        return Stream(net, {"conv": ["0", "1"], "head": ["2"]}, head=["2"])

    torch.manual_seed(0)
    return Connected({name: stream(task.channels) for name, task in TASKS.items()})


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Connected:
    net = network()
    options = toys.options(steps=150, optimizer={"use": "adam", "lr": 0.05})
    fit(net, TASKS, Bright(), options, folder=tmp_path_factory.mktemp("run"), seed=0)
    return net


def test_they_learn(trained: Connected) -> None:
    whole = validate(trained, TASKS, Bright(), batch_size=8)
    assert whole["species"] == {"accuracy": 100.0, "class accuracy": 100.0}
    assert whole["box"]["IoU"] > 70 and whole["age"]["mean AE"] < 5
    assert validate(network(), TASKS, Bright(), batch_size=8)["box"]["IoU"] < 40
    for size in (1, 3):
        uneven = validate(trained, TASKS, Bright(), batch_size=size)
        assert uneven["box"] == pytest.approx(whole["box"], rel=1e-6)
        assert uneven["age"] == pytest.approx(whole["age"], rel=1e-4)


def test_an_ensemble_of_twice_the_same_is_it(trained: Connected) -> None:
    both = validate(Ensemble([trained, trained]), {n: Averaged(t) for n, t in TASKS.items()}, Bright(), batch_size=4)
    alone = validate(trained, TASKS, Bright(), batch_size=4)
    for name in TASKS:
        assert both[name] == pytest.approx(alone[name], rel=1e-5)


def test_predicted_and_drawn(trained: Connected) -> None:
    """On a picture larger than those of the training, in its own pixels."""
    picture = torch.full((3, 32, 64), 220, dtype=torch.uint8)
    recipe = tiny()
    values = predicted(trained, TASKS, recipe, picture)  # type: ignore[arg-type]
    assert int(values["species"]) == 1 and values["species"].shape == ()
    assert float(values["age"]) == pytest.approx(60, abs=8)
    assert values["box"][0].tolist() == pytest.approx([40.0, 8.0, 64.0, 32.0], abs=6)
    drawn = {name: TASKS[name].over(picture, value) for name, value in values.items()}
    for name, one in drawn.items():
        assert one.shape == picture.shape and (one != 220).any(), name
    assert (drawn["species"][:, 16:] == 220).all(), "a caption leaves the picture as it is"


def test_the_truth_is_drawn_over_its_picture_and_a_missing_one_is_black() -> None:
    bench = SimpleNamespace(test=lambda column: Bright(), tasks=TASKS)
    for name in TASKS:
        image, truth = drawn_truth(SimpleNamespace(task=name), bench, 3)  # type: ignore[arg-type]
        assert truth.shape == image.shape and (truth != image).any()
    assert not drawn_truth(SimpleNamespace(task="box"), bench, 2)[1].any()  # type: ignore[arg-type]


def test_from_a_recipe() -> None:
    tasks = {
        "species": {"use": "classification", "weight": 2.0},
        "breed": {"use": "classification"},
        "age": {},
        "box": {"use": "box_regression", "loss": "diou_as_printed", "unit": "pixels"},
        "segmentation": {"image_miou": True},
    }
    pets = {"use": "pets_sample", "size": [64, 64], "border": "pet", "labels": ["species", "breed", "box", "segmentation"]}
    faces = {"use": "utkface", "path": "/nowhere", "size": [64, 64], "labels": ["age"]}
    numbers = {"use": "vgg16", "head": "pooled_linear"}
    recipe = tiny(data={"sets": {"pets": pets, "faces": faces}}, tasks=tasks, methods=[], network=numbers,
                  networks={"segmentation": {"use": "deeplab_resnet", "body": "resnet10t"}})  # fmt: skip
    built = Bench(recipe).shapes_only
    assert {name: task.channels for name, task in built.items()} == {
        "species": 2, "breed": 37, "age": 100, "box": 4, "segmentation": 2,
    }  # fmt: skip
    box, species = built["box"], built["species"]
    assert isinstance(box, BoxRegression) and (box.kind, box.unit) == ("diou_as_printed", "pixels")
    assert isinstance(species, Classification) and species.classes == ("cat", "dog")
    assert "image mIoU" in built["segmentation"].directions
    assert recipe.tasks["species"].weight == 2.0


def test_what_an_option_is_at_its_default_is_no_part_of_what_a_task_is_known_by() -> None:
    assert part(Segmentation).identity() == {"use": "segmentation"}
    assert part(Segmentation, image_miou=True).identity() == {"use": "segmentation", "image_miou": True}
