"""The same sample and draw give the same pixels, whoever asks."""

import torch
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

from taskweave.data import BatchOrder, Depth, EpochOrder, LabelledSet, RandomCrop, ToInput, Transformed, collate
from taskweave.images import IMAGENET


class Numbered(LabelledSet):
    """Sample i is an 8 x 8 picture of random colours with depth i + 1; every third has no depth."""

    labels = ("depth",)
    classes = ()

    def __len__(self):
        return 6

    def __getitem__(self, index):
        colours = torch.randint(0, 256, (3, 8, 8), generator=torch.Generator().manual_seed(index), dtype=torch.uint8)
        sample = {"image": tv_tensors.Image(colours), "key": str(index), "depth": Depth(torch.full((1, 8, 8), index + 1.0))}
        if index % 3 == 2:
            del sample["depth"]
        return sample

    def key(self, index):
        return str(index)

    def scene(self, index):
        return "one"


def crops(seed=0):
    steps = [v2.RandomHorizontalFlip(), RandomCrop(IMAGENET, size=4), ToInput(IMAGENET)]
    return Transformed(Numbered(), v2.Compose(steps), seed=seed)


def test_a_draw_is_fixed():
    data = crops()
    first = data[2, 5]["image"]
    torch.manual_seed(99)
    _ = data[1, 3]
    assert torch.equal(data[2, 5]["image"], first)
    assert torch.equal(data[2]["image"], data[2, 0]["image"])
    assert len(data) == 6


def test_seed_index_and_draw_all_matter():
    def corner_draws(data, index, draws):
        return [tuple(data[index, draw]["image"].flatten().tolist()) for draw in draws]

    assert len(set(corner_draws(crops(), 0, range(20)))) > 5
    assert corner_draws(crops(0), 0, range(10)) != corner_draws(crops(1), 0, range(10))


def test_the_callers_generator_is_untouched():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    _ = crops()[0, 1]
    assert torch.equal(torch.rand(2), expected)


def test_workers_change_nothing():
    order = EpochOrder(6, seed=4)

    def batches(workers):
        loader = DataLoader(
            crops(), batch_sampler=BatchOrder(order, 2, first=1, last=5), num_workers=workers, collate_fn=collate
        )
        return list(loader)

    for alone, shared in zip(batches(0), batches(2), strict=True):
        assert alone.keys == shared.keys
        assert torch.equal(alone.image, shared.image)
        assert alone.targets.keys() == shared.targets.keys()
        for name in alone.targets:
            assert torch.equal(alone.targets[name], shared.targets[name])
            assert torch.equal(alone.rows[name], shared.rows[name])
