"""Every transform and every schedule of a mixture is a part, with bounds, and draws as the call that it stands for."""

import inspect

import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

import taskweave as tw
from taskweave.data import MixtureSchedule
from taskweave.parts import Part, makes, options_of, part

ABSTRACT = {"JointTransform", "MixtureSchedule"}
PUBLIC = {name: getattr(tw.data, name) for name in tw.data.__all__ if callable(getattr(tw.data, name))}
TRANSFORMS = {name: call for name, call in PUBLIC.items() if makes(call, v2.Transform) and name not in ABSTRACT}
SCHEDULES = {name: call for name, call in PUBLIC.items() if makes(call, MixtureSchedule) and name not in ABSTRACT}
NEEDED = {
    "RandomCrop": {"size": (9, 12)},
    "Resize": {"size": (9, 12)},
    "Fit": {"size": (9, 12)},
    "colour": {"strength": 0.4},
    "Temperature": {"t": 2.0},
}
OUTSIDE = [
    ("mirror", "p", 1.5),
    ("colour", "strength", -0.1),
    ("colour", "strength", 1.1),
    ("RandomScale", "least", 0.0),
    ("RandomScale", "most", 0.25),
    ("ZoomCrops", "factors", ()),
    ("ZoomCrops", "factors", (0.5,)),
    ("RandomCrop", "size", (0, 9)),
    ("Resize", "size", (9,)),
    ("Fit", "size", (9, 0)),
    ("ConstantInterval", "batches", 0),
    ("ConstantInterval", "batches", {"a": 0}),
    ("Temperature", "t", 0.0),
]


def an_image(size=(20, 30)):
    return {"image": tv_tensors.Image(torch.randint(256, (3, *size), dtype=torch.uint8)), "key": "one"}


def test_every_one_is_there():
    assert set(TRANSFORMS) == {"mirror", "colour", "RandomScale", "ZoomCrops", "RandomCrop", "Resize", "Fit", "ToInput"}
    assert set(SCHEDULES) == {"ConstantInterval", "RoundRobin", "Proportional", "Temperature"}


@pytest.mark.parametrize("name", [*TRANSFORMS, *SCHEDULES])
def test_options_are_keyword_only(name):
    call = PUBLIC[name]
    it = Part(call, NEEDED.get(name, {}))
    before = [p.name for p in inspect.signature(call).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert before in ([], ["statistics"])
    assert set(it.options) == set(options_of(call).model_fields)


@pytest.mark.parametrize(("name", "option", "value"), OUTSIDE)
def test_values_out_of_bounds_are_refused(name, option, value):
    with pytest.raises(ValueError, match=option):
        Part(PUBLIC[name], {**NEEDED.get(name, {}), option: value})


@pytest.mark.parametrize("name", sorted(set(TRANSFORMS) - {"RandomScale"}))
def test_the_size_after_it_is_told(name):
    it = Part(TRANSFORMS[name], NEEDED.get(name, {}))
    after = getattr(it.call, "size_after", lambda options, size: size)(it.options, (20, 30))
    assert tuple(it(tw.IMAGENET)(an_image())["image"].shape[-2:]) == after


def test_mirror_and_colour_draw_as_torchvisions():
    pairs = [
        (part(tw.data.mirror)(tw.IMAGENET), v2.RandomHorizontalFlip()),
        (part(tw.data.colour, strength=0.3)(tw.IMAGENET), v2.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3)),
    ]
    for seed in range(8):
        sample = an_image()
        for ours, theirs in pairs:
            torch.manual_seed(seed)
            expected = theirs(sample)["image"]
            torch.manual_seed(seed)
            assert torch.equal(ours(sample)["image"], expected)


def test_a_scale_and_a_crop_follow_the_definition_of_their_draws():
    """One even number of [0, 1) for the scale; then the crop's top and left."""
    steps = v2.Compose(
        [part(tw.data.RandomScale, least=0.5, most=1.5)(), part(tw.data.RandomCrop, size=(8, 9))(tw.IMAGENET)]
    )
    for seed in range(8):
        sample = {**an_image(), "segmentation": tv_tensors.Mask(torch.randint(9, (20, 30)))}
        torch.manual_seed(seed)
        found = steps(sample)["segmentation"]
        torch.manual_seed(seed)
        scale = 0.5 + float(torch.rand((), dtype=torch.float64))
        height, width = round(20 * scale), round(30 * scale)
        top, left = int(torch.randint(height - 8 + 1, ())), int(torch.randint(width - 9 + 1, ()))
        large = tw.data.Resize(size=(height, width))(sample)["segmentation"]
        assert torch.equal(found, large[top : top + 8, left : left + 9])


def test_a_schedule_from_its_part_takes_the_same_turns():
    lengths = {"a": 10.0, "b": 6.0}
    for name, call in SCHEDULES.items():
        made = Part(call, NEEDED.get(name, {}))([10, 6])
        alike = call(**NEEDED.get(name, {}))
        rows = [schedule.turns(lengths, seed=3) for schedule in (made, alike)]
        assert [next(rows[0]) for _ in range(50)] == [next(rows[1]) for _ in range(50)]
        assert made.determining() == alike.determining()
