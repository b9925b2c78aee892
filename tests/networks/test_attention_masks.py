"""Which masks a network's attention gives, by hand."""

import pytest
import torch
from torch import Tensor

import taskweave as tw
from taskweave.networks import attention_masks, mt_unet, st_unet
from taskweave.parts import part

WIDTHS = (4, 4, 8, 8)
PAIR = {"seg": 5, "depth": 1}


def picture() -> Tensor:
    return torch.rand(2, 3, 32, 48) - 0.5


def test_one_mask_per_task_and_decoder_block() -> None:
    """Those that weigh each block's second convolution on the way to the output, and nothing of the network changes."""
    net, x = mt_unet(PAIR, network=part(st_unet, widths=WIDTHS)).train(), picture()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    masks = attention_masks(net, x)
    assert net.training and all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    shapes = [(2, 8, 4, 6), (2, 8, 8, 12), (2, 4, 16, 24), (2, 4, 32, 48)]
    assert {task: [tuple(m.shape) for m in found] for task, found in masks.items()} == {"seg": shapes, "depth": shapes}
    net.eval()
    blocks = {(name, i): block for name in PAIR for i, block in enumerate(net.stream(name).net.decoder)}
    firsts: dict[tuple[str, int], Tensor] = {}
    for key, block in blocks.items():
        block.conv1.register_forward_hook(lambda _, __, y, key=key: firsts.__setitem__(key, y))
    with torch.no_grad():
        net(x)
        for (name, i), block in blocks.items():
            assert torch.equal(masks[name][i], block.attention.mask(firsts[name, i]))
            assert masks[name][i].min() >= 0 and masks[name][i].max() <= 1
    assert not any(m._forward_hooks for unit in net.modules() if isinstance(unit, tw.Attention) for m in unit.modules())


def test_a_single_network_and_a_mask_per_pixel() -> None:
    per_pixel = st_unet(2, widths=WIDTHS, attention=part(tw.Attention, per="pixel"))
    masks = attention_masks(tw.Connected({"seg": tw.as_stream(per_pixel)}), picture())
    assert [tuple(m.shape) for m in masks["seg"]] == [(2, 1, 4, 6), (2, 1, 8, 12), (2, 1, 16, 24), (2, 1, 32, 48)]


def test_attention_at_a_connection_and_streams_without_any() -> None:
    def chain() -> tw.Stream:
        net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.Conv2d(4, 4, 1))
        return tw.Stream(net, {"a": ["0"], "b": ["1"]})

    unit = tw.Attention([tw.FeatureShape.image(4, 6, 6)] * 2)
    net = tw.Connected({"seg": chain(), "depth": chain()}, [tw.Connection({"seg": ("a", "b")}, unit)])
    masks = attention_masks(net, torch.rand(1, 3, 6, 6))
    assert [len(found) for found in masks.values()] == [1, 0]
    with pytest.raises(ValueError, match=r"no stream of \['seg', 'depth'\] has an Attention"):
        attention_masks(mt_unet(PAIR, network=part(st_unet, widths=WIDTHS, attention=None)), picture())
