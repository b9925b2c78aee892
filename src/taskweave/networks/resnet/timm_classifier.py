"""Any timm network as the classifier of whole images: its own body, its own pooled linear head."""

from __future__ import annotations

from torch import nn

from taskweave.networks.weights import Weights, check_fit, state_of

_MISSING = "timm_classifier needs timm: pip install taskweave[timm]"


def timm_classifier(channels: int, *, body: str = "resnet18", dropout: float = 0.0) -> nn.Module:
    """timm's network of a name with `channels` outputs; (B, 3, H, W) -> (B, channels), for H and W that it takes.

    Its stages are what `as_stream` knows of it ("layer1" ...), or the features that timm lists.
    body: "resnet18", "convnext_tiny", "efficientnet_b0", "vit_tiny_patch16_224" ...; see ``timm.list_models()``.
    dropout: before the last layer.
    Weights: `load_timm` or `load_pretrained`.
    Raises ValueError for a name that timm does not know, ImportError without timm.
    """
    try:
        import timm
    except ImportError as error:
        raise ImportError(_MISSING) from error
    try:
        net: nn.Module = timm.create_model(body, pretrained=False, num_classes=channels, drop_rate=dropout)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"timm cannot build body={body!r}: {error}; see timm.list_models() for what there is") from error
    return net


def load_timm(net: nn.Module, source: Weights) -> None:
    """Load the weights of a timm network (or its state_dict) into another of its kind, all but the last layer's.

    Raises ValueError naming the missing, unexpected and differing entries for weights of another network.
    """
    last = _last_layers(net)
    own = {name: value for name, value in net.state_dict().items() if not name.startswith(last)}
    given = {name: value for name, value in state_of(source).items() if not name.startswith(last)}
    check_fit(type(net).__name__, own, given)
    net.load_state_dict(given, strict=False)


def load_timms_own(net: nn.Module) -> None:
    """Download timm's default weights for a timm network into all but its last layer; ConnectionError where that fails."""
    from taskweave.networks.weights import download

    name = _config(net)["architecture"]

    def build() -> nn.Module:
        import timm

        built: nn.Module = timm.create_model(str(name), pretrained=True)
        return built

    load_timm(net, download(build, f"timm's {name}"))


def _last_layers(net: nn.Module) -> tuple[str, ...]:
    """What the names of the last layers' weights begin with."""
    last = _config(net)["classifier"]
    return tuple(f"{path}." for path in ((last,) if isinstance(last, str) else tuple(last)))  # type: ignore[arg-type]


def _config(net: nn.Module) -> dict[str, object]:
    config = getattr(net, "pretrained_cfg", None)
    if not config:
        raise TypeError(f"{type(net).__name__} was not built by timm.create_model; load weights with load_weights")
    return dict(config)
