"""Every unit, head, network and joint network as a part, and what of a recipe's bounds its signature states."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from contracts.part_contract import assert_is_a_part, bounds, parts_of
from torch import nn

from taskweave import heads, networks, units
from taskweave.heads import ASPP, AsppV3, LargeFOV, PooledLinear, VGGClassifier
from taskweave.heads.layers import Head
from taskweave.parts import Part, part
from taskweave.units.unit import Unit
from taskweave.weaving.connected import Connected

NEEDED: Mapping[str, Mapping[str, Any]] = {"LaneMixing": {"matrix": ((0.5, 0.5), (None, 1.0))}}
"""Options without a default."""

UNITS = parts_of(units, Unit)
HEADS = parts_of(heads, Head)
JOINT = parts_of(networks, Connected)
NETWORKS = parts_of(networks, nn.Module, but=(Connected, Unit, Head))
PARTS = [
    (name, call, 2 if call in HEADS.values() else 1)
    for kind in (UNITS, HEADS, NETWORKS, JOINT)
    for name, call in kind.items()
]


def test_there_is_what_there_should_be() -> None:
    assert set(UNITS) == set(units.__all__) - {"Unit"}
    assert set(HEADS) == {
        "ASPP",
        "AnchorHead",
        "AsppV3",
        "FCN32s",
        "LargeFOV",
        "PooledLinear",
        "PyramidPooling",
        "VGGClassifier",
    }
    assert {"deeplab_vgg16", "torchvision_detector", "timm_classifier", "pet_map_net"} <= set(NETWORKS)
    assert set(JOINT) == {
        "dense_resnet", "dense_segnet", "mt_unet", "mtan_resnet", "mtan_segnet", "pet_auxiliaries", "pet_oeq", "pet_segnet",
        "split_resnet", "split_segnet",
    }  # fmt: skip
    assert not any(name.startswith("load_") for name in (*NETWORKS, *JOINT))


@pytest.mark.parametrize(("name", "call", "given"), PARTS, ids=[name for name, _, _ in PARTS])
def test_it_is_a_part(name: str, call: Callable[..., Any], given: int) -> None:
    assert_is_a_part(call, given, NEEDED.get(name, {}))


@pytest.mark.parametrize(
    ("made", "wrong", "said"),
    [
        (part(units.Sluice), {"subspaces": 0}, "greater than or equal to 1"),
        (part(units.Sluice), {"orthogonality": -1.0}, "greater than or equal to 0"),
        (part(units.Shortcut), {"channels": 0}, "greater than or equal to 1"),
        (part(networks.deeplab_vgg16), {"bn_momentum": 1.0}, "less than 1"),
        (part(networks.deeplab_vgg16), {"bn_eps": 0.0}, "greater than 0"),
        (part(LargeFOV), {"hidden": 0}, "greater than or equal to 1"),
        (part(ASPP), {"dropout": 1.0}, "less than 1"),
        (part(AsppV3), {"rates": ()}, "at least 1 item"),
        (part(VGGClassifier), {"grid": 0}, "greater than or equal to 1"),
        (part(networks.deeplab_resnet), {"output_stride": 4}, "8, 16 or 32"),
        (part(networks.fcn32s_alexnet), {"body": "zf"}, "'caffenet' or 'torchvision'"),
        (part(networks.rpn_vgg16), {"heights": (0.0,)}, "greater than 0"),
        (part(networks.rpn_vgg16), {"ratios": ()}, "at least 1 item"),
        (part(networks.pspnet_vgg16), {"bins": (0,)}, "greater than or equal to 1"),
        (part(networks.vgg16), {"width": 3}, "greater than or equal to 4"),
        (part(networks.st_unet), {"widths": (4, 4, 4)}, r"needs 'widths\.3'"),
        (part(networks.segnet_vgg16), {"widths": (4, 4, 4, 4, 0)}, "greater than or equal to 1"),
        (part(networks.torchvision_detector), {"min_size": 8}, "greater than or equal to 16"),
        (part(networks.torchvision_detector), {"score": 1.0}, "less than 1"),
        (part(networks.timm_classifier), {"dropout": -0.1}, "greater than or equal to 0"),
        (part(networks.pet_numbers_net), {"hidden": ()}, "at least 1 item"),
        (part(networks.pet_map_net), {"stem_kernel": 5}, "3 or 7"),
        (part(networks.pet_segnet), {"stitch": "all"}, "'one', 'per_stage' or 'per_channel'"),
        (part(networks.pet_oeq), {"branches": ("box", "segmentation")}, "two auxiliary networks or more"),
        (part(networks.split_segnet), {"grown": "long"}, "'standard', 'wide' or 'deep'"),
    ],
)
def test_bad_values_are_refused(made: Part[Any], wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        made.replace(**wrong)


def test_nested_parts_are_written_with_all_their_options() -> None:
    dumped = part(networks.deeplab_resnet, head=part(AsppV3, hidden=8)).dump()
    assert dumped["head"] == {"use": "aspp_v3", "rates": None, "hidden": 8, "dropout": 0.0, "batch_norm": [0.1, 1e-5]}


def test_facts() -> None:
    for name, call in NETWORKS.items():
        made = Part(call)
        assert made.fact("gives") in ("map", "anchors", "regions", "boxes", "numbers"), name
        assert made.fact("usual_stages") and made.fact("body_end"), name
        assert made.fact("reads_regions", default=False) is (name == "fast_rcnn_alexnet")
    for name, call in JOINT.items():
        assert Part(call).fact("title"), name
        assert Part(call).fact("dense_counterpart").fact("gives") == "map", name
    assert {name: call.title for name, call in UNITS.items()} == {
        "NDDR": "NDDR", "Attention": "attention", "CommonStitch": "cross-stitch (one mixture)",
        "CrossConnection": "cross-connected", "CrossStitch": "cross-stitch", "CrossTalk": "cross talk",
        "Identity": "identity", "LaneMixing": "lane mixing", "LayerMixing": "layer mixing",
        "ScaleLayer": "cross-stitch (scale layers)", "Shortcut": "shortcut", "Sluice": "sluice",
    }  # fmt: skip
    assert [name for name, call in UNITS.items() if call.mixes_layers] == ["Sluice"]


def test_dense_counterparts_share_the_body() -> None:
    found = part(networks.vgg16, head=part(PooledLinear), width=8, batch_norm=True).fact("dense_counterpart")
    assert found == part(networks.pspnet_vgg16, width=8, batch_norm=True, hidden=64)
    assert part(networks.rpn_vgg16).fact("dense_counterpart") == part(networks.pspnet_vgg16)
    boxes = part(networks.fast_rcnn_alexnet, body="torchvision", hidden=8)
    assert boxes.fact("dense_counterpart") == part(networks.fcn32s_alexnet, body="torchvision", hidden=8)
    assert part(networks.timm_classifier).fact("dense_counterpart") == part(networks.deeplab_resnet, output_stride=32)
    assert part(networks.stan_segnet, widths=(4,) * 5).fact("dense_counterpart") == part(
        networks.segnet_vgg16, widths=(4,) * 5
    )
    numbers = part(networks.pet_numbers_net, width=2, stem_kernel=7, batch_statistics=True)
    assert numbers.fact("dense_counterpart") == part(networks.pet_map_net, width=2, stem_kernel=7)
    assert part(networks.stan_resnet).fact("body_end") == "layer4.2"
    with pytest.raises(ValueError, match="no dense counterpart of a torchvision_detector; start from scratch"):
        part(networks.torchvision_detector).fact("dense_counterpart")


def test_the_contract_can_fail() -> None:
    def positional(channels: int, width: int) -> nn.Module:
        """A network whose width is by position."""
        raise NotImplementedError

    def silent(channels: int, *, width: int = 1) -> nn.Module:
        """()"""
        raise NotImplementedError

    for call, words in ((positional, r"takes \['channels', 'width'\] by position"), (silent, "is no sentence")):
        with pytest.raises(AssertionError, match=words):
            assert_is_a_part(call, 1, {})
    assert bounds(networks.vgg16, "width") and not bounds(units.NDDR, "self_weight")
