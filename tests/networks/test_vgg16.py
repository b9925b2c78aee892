"""VGG-16 for whole images, and timm's networks as classifiers: counts, stages, places, libraries' weights."""

import functools

import pytest
import timm
import torch
import torchvision
from torch import nn

import taskweave as tw
from taskweave.heads import PooledLinear, VGGClassifier
from taskweave.networks import load_pretrained, load_timm, load_vgg16, timm_classifier, vgg16
from taskweave.networks.vgg.networks import VGG16
from taskweave.parts import part

POOLED = part(PooledLinear)
POOLS = ["pool1", "pool2", "pool3", "pool4", "pool5"]


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_counts_of_age_and_gender() -> None:
    """The pair of the NDDR paper's table 7: 134,670,244 for 100 ages, 134,268,738 for 2 genders; VGG-16's own for 1000."""
    with torch.device("meta"):
        age, gender, imagenet = vgg16(100), vgg16(2), vgg16(1000)
    assert parameters(age) == 134_670_244
    assert parameters(gender) == 134_268_738
    assert parameters(imagenet) == 138_357_544
    with torch.device("meta"):
        streams = {"age": tw.as_stream(age), "gender": tw.as_stream(gender)}
    bare = functools.partial(tw.NDDR, order="none")
    net = tw.connect(streams, at=VGG16.usual_stages, unit=bare, example=torch.empty(1, 3, 224, 224))
    widths = (64, 128, 256, 512, 512)
    assert sum(p.numel() for p in net.connections.parameters()) == 4 * sum(c * c for c in widths) == 2_441_216


def test_lighter_heads() -> None:
    with torch.device("meta"):
        pooled, few = vgg16(2, head=POOLED, width=16), vgg16(2, width=16, head=part(VGGClassifier, grid=2, hidden=32))
    body = parameters(pooled.features)
    assert parameters(pooled) - body == 128 * 2 + 2
    assert parameters(few) - body == (4 * 128 * 32 + 32) + (32 * 32 + 32) + (32 * 2 + 2)
    assert list(tw.as_stream(pooled).stages)[-1] == "pool5"
    with pytest.raises(ValueError, match="unknown head 'big'"):
        part(vgg16, head="big")


def test_stages_and_grids() -> None:
    with torch.device("meta"):
        stream = tw.as_stream(vgg16(2))
    convs = [[f"conv{b}_{i + 1}" for i in range(n)] for b, n in enumerate((2, 2, 3, 3, 3), 1)]
    assert list(stream.stages) == [s for block, pool in zip(convs, POOLS, strict=True) for s in (*block, pool)] + [
        "fc6",
        "fc7",
    ]
    shapes = stream.shapes(torch.empty(1, 3, 224, 224))
    assert [(shapes[p].channels, shapes[p].extent) for p in POOLS] == [
        (64, (112, 112)), (128, (56, 56)), (256, (28, 28)), (512, (14, 14)), (512, (7, 7))
    ]  # fmt: skip
    assert shapes["fc7"].channels == 4096


def imagenets(*, normed: bool) -> nn.Module:
    """torchvision's VGG-16 with random weights, running statistics not 0 and 1."""
    torch.manual_seed(3)
    net = (torchvision.models.vgg16_bn if normed else torchvision.models.vgg16)(weights=None, init_weights=False)
    for norm in (m for m in net.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.uniform_(norm.running_mean, -0.1, 0.1)
        nn.init.uniform_(norm.running_var, 0.5, 1.5)
    return net.eval()


@pytest.mark.slow
@pytest.mark.parametrize("normed", [False, True])
def test_torchvisions_network_is_ours_with_its_weights(normed: bool) -> None:
    """The whole of it: with fc8 copied by hand the outputs are torchvision's, exactly where no norm is re-expressed."""
    with torch.device("meta"):
        net = vgg16(1000, batch_norm=normed)
    net, source = net.to_empty(device="cpu").eval(), imagenets(normed=normed)
    load_vgg16(net, source, fc="loaded")
    with torch.no_grad():
        for ours, theirs in zip(net.head.fc8.parameters(), source.classifier[6].parameters(), strict=True):
            ours.copy_(theirs)
        x = torch.randn(1, 3, 40, 64)
        expected = source(x)
        torch.testing.assert_close(net(x), expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item())


def test_fresh_leaves_the_head_and_other_heads_are_refused() -> None:
    with torch.device("meta"):
        source = torchvision.models.vgg16(weights=None)
    with torch.device("meta"):
        few, pooled, thin = vgg16(2, head=part(VGGClassifier, hidden=8)), vgg16(2, head=POOLED), vgg16(2, width=16)
    with pytest.raises(ValueError, match=r"'classifier.0.weight' is \(4096, 25088\) where \(8, 25088\) was expected"):
        load_vgg16(few, source, fc="loaded")
    with pytest.raises(ValueError, match="PooledLinear has no fc6 and fc7 as VGG has them; use fc='fresh'"):
        load_vgg16(pooled, source, fc="loaded")
    with pytest.raises(ValueError, match=r"'features.0.weight' is \(64, 3, 3, 3\) where \(16, 3, 3, 3\) was expected"):
        load_vgg16(thin, source)


def test_pretrained_arrives_with_and_without_its_fully_connected_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of fc6 and fc7 are taken, by whether they fit; on shapes alone, the weights are compared above."""
    asked: list[str] = []
    monkeypatch.setattr("taskweave.networks.vgg.weights._downloaded", lambda net: net)
    monkeypatch.setattr("taskweave.networks.vgg.weights.load_vgg16", lambda net, source, *, fc: asked.append(fc))
    with torch.device("meta"):
        heads = (part(VGGClassifier), part(VGGClassifier, grid=2), part(VGGClassifier, hidden=64), POOLED)
        for head in heads:
            load_pretrained(vgg16(2, head=head))
    assert asked == ["loaded", "fresh", "fresh", "fresh"]


def test_timms_weights_arrive_in_all_but_the_last_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    source, net = timm.create_model("test_resnet"), timm_classifier(3, body="test_resnet")
    before = net.fc.weight.clone()
    load_timm(net, source)
    assert torch.equal(net.layer4[0].conv1.weight, source.layer4[0].conv1.weight)
    assert torch.equal(net.fc.weight, before) and net.fc.weight.shape[0] == 3
    with pytest.raises(ValueError, match="weights of another network than ResNet: missing"):
        load_timm(net, timm.create_model("test_convnext"))
    other = timm_classifier(3, body="test_resnet")
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: source)
    load_pretrained(other)
    assert torch.equal(other.layer4[0].conv1.weight, source.layer4[0].conv1.weight)


def test_timm_names_are_checked() -> None:
    with pytest.raises(ValueError, match=r"timm cannot build body='resnet0': .*; see timm.list_models\(\)"):
        timm_classifier(2, body="resnet0")
    with pytest.raises(TypeError, match=r"was not built by timm\.create_model"):
        load_timm(nn.Linear(1, 1), {})


@pytest.mark.parametrize(
    ("body", "axis"),
    [("test_byobnet", None), ("test_mambaout", 3), ("regnetx_002", None)],
    ids=["byobnet", "NHWC", "regnet"],
)
def test_any_timm_network_has_the_stages_that_timm_lists(body: str, axis: int | None) -> None:
    """Types for which nobody wrote a stream; equal to the network exactly, as trace_stream proves while it builds it."""
    net = timm_classifier(3, body=body).eval()
    stream, x = tw.as_stream(net), torch.rand(1, 3, 224, 224)
    assert list(stream.stages) == [feature["module"] for feature in net.feature_info]
    assert stream.channel_axis == axis
    with torch.no_grad():
        assert torch.equal(stream(x), net(x))
    last = [m for path in stream.head for m in net.get_submodule(path).modules() if isinstance(m, nn.Linear)]
    assert [layer.out_features for layer in last] == [3]
