"""The cross-connected paper's two networks: size, geometry, what VGG-16's weights compute in them."""

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

import taskweave as tw
from taskweave.heads.anchors import BIRDS
from taskweave.networks import load_pretrained, load_vgg16, pspnet_vgg16, rpn_vgg16
from taskweave.networks.vgg.networks import CROSS_CONNECTED

DEPTHS = (2, 2, 3, 3, 3)
STAGES = [s for b, n in enumerate(DEPTHS, 1) for s in (*(f"conv{b}_{i + 1}" for i in range(n)), f"pool{b}")][:-1]


class Source(nn.Module):
    """Torchvision's VGG-16 without its classifier (500 MB)."""

    def __init__(self, batch_norm: bool = False) -> None:
        super().__init__()
        self.features = make_layers(cfgs["D"], batch_norm=batch_norm)


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_the_ten_places() -> None:
    assert list(CROSS_CONNECTED) == [s for s in STAGES if s.startswith("conv") and not s.startswith("conv5")]
    assert len(CROSS_CONNECTED) == 10


def test_counts() -> None:
    body = 14_714_688  # VGG-16's convolutions
    with torch.device("meta"):
        rpn, pspnet = rpn_vgg16(2), pspnet_vgg16(20)
        birds = rpn_vgg16(3, heights=BIRDS.heights, ratios=BIRDS.ratios)
    assert parameters(rpn.features) == parameters(pspnet.features) == body
    conv = 512 * 512 * 9 + 512
    assert parameters(rpn) == body + conv + (512 * 9 * 2 + 9 * 2) + (512 * 9 * 4 + 9 * 4) == 17_102_198
    assert parameters(birds) == body + conv + (512 + 1) * 21 * (3 + 4)
    pooled, join, last = 4 * (512 * 128 + 128), 1024 * 512 * 9 + 512, 512 * 20 + 20
    assert parameters(pspnet) == body + pooled + join + last == 19_706_708


@pytest.mark.parametrize("build", [rpn_vgg16, pspnet_vgg16])
def test_stages(build) -> None:
    with torch.device("meta"):
        net = build(3)
    assert list(tw.as_stream(net).stages) == STAGES
    assert net.usual_stages == CROSS_CONNECTED


def test_both_are_on_one_grid_where_they_meet() -> None:
    """480 x 637: halves, rounded up, until conv4_3 at an eighth; then the detector goes on to a sixteenth."""
    x = torch.empty(1, 3, 480, 637, device="meta")
    with torch.device("meta"):
        nets = [rpn_vgg16(2), pspnet_vgg16(2), pspnet_vgg16(2, output_stride=16)]
    detector, eighth, sixteenth = (tw.as_stream(net).shapes(x) for net in nets)
    for stage in STAGES[: STAGES.index("conv4_3") + 1]:
        assert detector[stage] == eighth[stage] == sixteenth[stage]
    assert detector["conv4_3"].extent == (60, 80)
    assert detector["conv5_3"].extent == sixteenth["conv5_3"].extent == (30, 40)
    assert eighth["conv5_3"].extent == (60, 80)
    assert nets[0].eval()(x).logits.shape == (1, 30 * 40 * 9, 2)


@pytest.mark.parametrize("build", [lambda: rpn_vgg16(2), lambda: pspnet_vgg16(2, output_stride=16)])
def test_torchvisions_weights_compute_what_they_did(build) -> None:
    """Up to conv5_3, on a picture whose sides are multiples of 16: exactly."""
    net, source, x = build().eval(), Source().eval(), torch.randn(1, 3, 32, 48)
    load_vgg16(net, source)
    with torch.no_grad():
        assert torch.equal(net.features(x), source.features[:30](x))


def test_dilation_keeps_what_the_weights_see() -> None:
    """At 1/8 conv5 is dilated, so every second cell sees what a cell at 1/16 saw without pool4's maximum."""
    net, source, x = pspnet_vgg16(2).eval(), Source().eval(), torch.randn(1, 3, 32, 32)
    load_vgg16(net, source)
    with torch.no_grad():
        y = source.features[:23](x)  # conv4_3
        for i in (24, 26, 28):
            layer = source.features[i]
            y = nn.functional.conv2d(y, layer.weight, layer.bias, padding=2, dilation=2).relu()
        assert torch.equal(net.features(x), y)


@pytest.mark.slow
@pytest.mark.parametrize("build", [rpn_vgg16, pspnet_vgg16])
def test_pretrained_weights_arrive(build, monkeypatch: pytest.MonkeyPatch) -> None:
    for normed in (False, True):
        name, source = "vgg16_bn" if normed else "vgg16", Source(normed)
        monkeypatch.setattr(torchvision.models, name, lambda source=source, **_: source)
        net = build(2, batch_norm=normed, hidden=8)
        load_pretrained(net)
        assert torch.equal(net.features.conv1_1.conv.weight, source.features[0].weight)
        assert torch.equal(net.features.conv5_3.conv.weight, source.features[40 if normed else 28].weight)


def test_weights_that_do_not_fit() -> None:
    before = rpn_vgg16(2, width=8, hidden=8)
    with pytest.raises(ValueError, match=r"'features.0.weight' is \(64, 3, 3, 3\) where \(8, 3, 3, 3\) was expected"):
        load_vgg16(before, Source())
    with pytest.raises(ValueError, match="AnchorHead has no fc6 and fc7 to decimate into; use fc='fresh'"):
        load_vgg16(rpn_vgg16(2, hidden=8), _with_fc(), fc="decimated")


def _with_fc() -> dict[str, Tensor]:
    names = ("classifier.0", (4096, 512 * 49)), ("classifier.3", (4096, 4096))
    empty = {f"{name}.weight": torch.zeros(1).expand(shape) for name, shape in names}
    return Source().state_dict() | empty | {f"{name}.bias": torch.zeros(4096) for name, _ in names}


def test_options() -> None:
    with pytest.raises(ValueError, match="output_stride is 8 or 16, got 32"):
        pspnet_vgg16(2, output_stride=32)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one class"):
        rpn_vgg16(1)
    with torch.device("meta"):
        net = rpn_vgg16(2, heights=(15.0,), ratios=(1.0, 2.0))
    assert net.head.logits.out_channels == 4


def test_detections_can_be_learned() -> None:
    """A few steps on one anchor's class and box lower the loss: nothing is cut off."""
    torch.manual_seed(0)
    net, x = rpn_vgg16(2, width=8, hidden=16), torch.randn(1, 3, 32, 32)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05)
    labels = torch.zeros(36, dtype=torch.long)
    labels[5] = 1
    losses = []
    for _ in range(8):
        output = net(x)
        loss = nn.functional.cross_entropy(output.logits[0], labels) + (output.deltas[0, 5] - 1).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss))
    assert losses[-1] < 0.9 * losses[0]
