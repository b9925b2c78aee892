"""A resolved recipe of commit 9dcb0d1 in today's shape, field by field.

Every old value is carried over by name. Values that stand here as constants are options that did not exist then.
"""

from collections.abc import Iterable, Mapping
from typing import Any

Content = dict[str, Any]

NORMS = {"batch_norm": None}
ATTENTION = {"use": "attention", "hidden": None, "share": 1.0, "kernel_size": 3, "norm": "before", "per": "channel"}
DEPTHS = [2, 2, 3, 3, 3]
"""Convolutions of VGG-16's blocks."""
RENAMED_WEIGHTINGS = {"dwa": "dynamic_weight_average", "aggregation": "gradient_aggregation"}
TASKS = {"species": "classification", "breed": "classification", "gender": "classification", "box": "box_regression"}
DENSE = ("segmentation", "depth", "normals")
UNITS = {"cross_connected": "cross_connection"}
CONNECTING = ("cross_stitch", "nddr", "sluice", "cross_connected", "scale_layer", "common_stitch")
MADE_OF = {
    "mt_unet": "mt_unet",
    "mtan": "mtan_segnet",
    "dense": "dense_segnet",
    "split": "split_segnet",
    "pet_segnet": "pet_segnet",
    "pet_oeq": "pet_oeq",
    "pet_auxiliaries": "pet_auxiliaries",
}
"""Networks of all tasks, by their old kind as a method."""


MOVED = {
    "taskweave/data/pets_sample_files": "taskweave/data/readers/whole_images/pets_sample_files",
    "taskweave.evaluation.choices.pet_presets": "docs/pets.md",
}
"""What notes point at."""


def notes(old: str) -> str:
    """The same notes; what they point at has moved."""
    for was, now in MOVED.items():
        old = old.replace(was, now)
    return old


def use(old: Mapping[str, Any], name: str | None = None, **more: Any) -> Content:
    """`kind` becomes `use`; name: of the part today, where it is another."""
    return {"use": name or old["kind"], **{key: value for key, value in old.items() if key != "kind"}, **more}


def without(old: Mapping[str, Any], *fields: str) -> Content:
    """The other fields."""
    return {key: value for key, value in old.items() if key not in fields}


def augment(old: Mapping[str, Any]) -> list[Content]:
    """Switches of one augmentation are transforms in a list, in the order in which they were applied."""
    assert old.keys() == {"colour", "scale", "zoom_crops", "crop", "mirror"}
    found = [{"use": "colour", "strength": old["colour"]}] if old["colour"] else []
    if old["scale"]:
        found.append({"use": "random_scale", "least": old["scale"][0], "most": old["scale"][1]})
    if old["zoom_crops"]:
        found.append({"use": "zoom_crops", "factors": old["zoom_crops"]})
    if old["crop"]:
        found.append({"use": "random_crop", "size": old["crop"], "ignore": 255})
    return [*found, {"use": "mirror", "p": 0.5}] if old["mirror"] else found


ADDED: dict[str, Content] = {
    **{name: {"accept": []} for name in ("penn_fudan", "apascal", "birds")},
    "kitti": {"accept": [], "classes": None},
    "box_csv": {"accept": [], "counted_from_one": False},
    "caltech": {"accept": ["outside"]},
    "cityscapes_mtan": {"baseline": 0.209313, "focal": 2262.52},
    "nyuv2_lists": {"data_dir": None},
    "segmentation": {"ignore": 255},
    "normals_by_codebook": {"codebook": []},
    "roi_detection": {"beta": 1.0},
    "attributes": {"iou": 0.5, "score": 0.05, "shown": 0.0},
    "age": {"ages": 100},
}
"""Options of data sets and tasks that did not exist."""


def data_set(old: Mapping[str, Any]) -> Content:
    """One data set; `augmentation` becomes `augment`."""
    found = use(old, **ADDED.get(old["kind"], {}))
    found["augment"] = augment(found.pop("augmentation"))
    if old["kind"] in ("apascal", "voc"):
        found["classes"] = old["classes"] or None  # all
    if old["kind"] == "birds":
        found["area"] = found.pop("part")
    if regions := found["regions"]:
        found["regions"] = {**regions, "proposals": without(regions["proposals"], "kind")}
    return found


def data(old: Mapping[str, Any]) -> Content:
    """One data set, or several; then `schedule` becomes `mixture`."""
    if old["kind"] != "mixture":
        return data_set(old)
    sets = {name: data_set(one) for name, one in old["sets"].items()}
    return {"sets": sets, "mixture": use(old["schedule"]), "mixed_batches": old["mixed_batches"]}


def task(name: str, old: Mapping[str, Any], networks: Mapping[str, str]) -> Content:
    """A task; a detection's part goes by its network, the matching of anchors stands among its options."""
    found = _task(name, old, networks)
    return {**found, **ADDED.get(found["use"], {})}


def _task(name: str, old: Mapping[str, Any], networks: Mapping[str, str]) -> Content:
    found: Content = {"use": TASKS.get(name, name), "metrics": [], **old}
    if name == "normals":
        loss = found.pop("loss")
        if loss == "codebook":
            return {**found, "use": "normals_by_codebook"}
        return {**without(found, "directions"), "loss": loss}
    if name != "detection":
        return found
    found["metrics"] = [measure(one) for one in found.pop("measures")]
    matching = found.pop("matching")
    if networks.get(name) == "fast_rcnn_alexnet":
        return {**found, "use": "roi_detection"}
    return {**found, **matching}


def measure(old: Mapping[str, Any]) -> Content:
    """A measure of detections."""
    names = {"voc_ap": "average_precision", "miss_rate": "log_average_miss_rate", "coco_ap": "coco_average_precision"}
    return use(old, names[old["kind"]])


def network(old: Mapping[str, Any], task_name: str) -> Content:
    """The network of a task; heads are parts with options of their own."""
    kind = old["kind"]
    if kind == "per_task":
        return network(old["networks"][task_name], task_name)
    if kind == "deeplab_vgg16":
        head = {"use": "large_fov", "rate": 12, "hidden": old["hidden"], "dropout": old["dropout"], **NORMS}
        assert old["head"] == "largefov"
        return {**without(use(old), "hidden", "dropout"), "head": head}
    if kind == "deeplab_resnet":
        head = {"use": "aspp", "rates": old["rates"], "hidden": None, "dropout": old["dropout"], **NORMS}
        assert old["head"] == "aspp"
        return {**without(use(old), "hidden", "dropout", "rates"), "head": head}
    if kind == "vgg16":
        own = ("grid", "hidden", "dropout")
        head = {"use": "pooled_linear"}
        if old["head"] == "vgg":
            head = {"use": "vgg_classifier", **{name: old[name] for name in own}}
        return {**without(use(old), *own), "head": head}
    if kind == "fast_rcnn_alexnet":
        return use(old, boxes=task_name == "detection")
    if kind == "st_unet":
        return use(old, attention=ATTENTION if old["attention"] else None, guests=0)
    if kind == "segnet_vgg16":
        return use(old, depths=DEPTHS)
    if kind == "stan_segnet":
        return use(old, attention={**ATTENTION, "kernel_size": 1})
    return pet_net(old, task_name) if kind == "pet_net" else use(old)


def pet_net(old: Mapping[str, Any], task_name: str) -> Content:
    """The pet paper's network for one task is one of two."""
    if task_name in DENSE:
        return {**without(use(old, "pet_map_net"), "hidden"), "last_bias": False}
    return without(use(old, "pet_numbers_net"), "sigmoid")


def networks(old: Mapping[str, Any] | None, tasks: Iterable[str]) -> Content:
    """`network`, and `networks` where those of the tasks differ."""
    if old is None or old["kind"] not in ("per_task", "fast_rcnn_alexnet", "pet_net"):
        return {"network": None if old is None else network(old, ""), "networks": {}}
    return {"network": None, "networks": {name: network(old, name) for name in tasks}}


def start(old: Mapping[str, Any] | None) -> Content | None:
    """What networks begin with."""
    if old is None or old["kind"] != "scenes":
        return None if old is None else use(old)
    return {**without(use(old), "augmentation"), "augment": augment(old["augmentation"])}


def weighting(old: Mapping[str, Any] | None) -> Content | None:
    """How losses are weighed; `drop_below` is a gate around it."""
    if old is None:
        return None
    found = without(use(old, RENAMED_WEIGHTINGS.get(old["kind"])), "drop_below")
    return {"use": "loss_gate", "below": old["drop_below"], "weighting": found} if old["drop_below"] else found


def training(old: Mapping[str, Any]) -> Content:
    """How networks are trained."""
    found = {name: None if old[name] is None else options(old[name]) for name in ("single", "connected", "joint")}
    return {**found, "single_steps": old["single_steps"]}


def options(old: Mapping[str, Any]) -> Content:
    """Training options; optimiser and schedule are parts."""
    return {**old, "optimizer": use(old["optimizer"]), "schedule": use(old["schedule"])}


def row(old: Mapping[str, Any], tasks: Iterable[str]) -> Content:
    """A method of old, which is a row: a method, and what is said beside its options."""
    beside = {"label": old["label"], "weighting": weighting(old["weighting"]), **networks(old["network"], tasks)}
    if old["kind"] in MADE_OF:
        return {**beside, "network": None, "networks": {}, **joint(old)}
    return {**beside, **method(old)}


def shortcut(old: Mapping[str, Any] | None) -> Content:
    """NDDR's shortcut is a unit."""
    if old is None:
        return {"shortcut": None, "shortcut_at": []}
    unit = {"use": "shortcut", "channels": old["channels"], "normalise": old["normalise"]}
    return {"shortcut": unit, "shortcut_at": old["places"]}


def method(old: Mapping[str, Any]) -> Content:
    """A method by itself."""
    kind, beside = old["kind"], ("kind", "label", "weighting", "network", "shortcut")
    if kind in CONNECTING:
        how = ("places", "lr_multiplier", "start", "layer_mixing")
        unit = {"use": UNITS.get(kind, kind), **without(old, *beside, *how)}
        unit |= {"matrix": None} if kind in ("cross_stitch", "sluice") else {}
        assert old.get("layer_mixing", True), "the sluice's own"
        said = {"at": old["places"], "rate": old["lr_multiplier"], "start": start(old["start"]), "layer_mixing": None}
        return {"use": "connected", "unit": unit, **said, **shortcut(old["shortcut"])}
    if kind == "connected_trained_on_one_task":
        return {"use": "one_task", "connected": method({**old["connected"], "shortcut": old["shortcut"]})}
    gathers = {} if kind == "shared_latent" else shortcut(old["shortcut"])
    begins = {"start": "fresh"} if kind == "shared" else {}
    return {"use": kind, **without(old, *beside), **begins, **gathers}


def joint(old: Mapping[str, Any]) -> Content:
    """A network of all tasks is the method `joint` with it."""
    kind, net = old["kind"], old["network"]
    assert old["shortcut"] is None
    how: Content = {"steps": None, "first_steps": None, "first_weighting": None}
    if kind == "mt_unet":
        inner: Content = {"network": network(net, ""), "cross_talk": old["cross_talk"], "unit": None}
        inner["at"] = ["decoder1", "decoder2", "decoder3", "decoder4"]
    elif kind in ("mtan", "dense"):
        inner = {"widths": net["widths"]}
        inner |= {"attention": {**ATTENTION, "kernel_size": 1}} if kind == "mtan" else {}
    else:
        inner = of_pets(old)
        how["steps"] = old.get("steps")
        how["first_steps"], how["first_weighting"] = old.get("auxiliary_steps"), weighting(old.get("auxiliary_weighting"))
    return {"use": "joint", "network": {"use": MADE_OF[kind], **inner}, **how}


def of_pets(old: Mapping[str, Any]) -> Content:
    """The options of the stitched networks and those of the networks that they are made of."""
    net = without(old["network"], "kind")
    how = (
        "kind",
        "label",
        "weighting",
        "network",
        "shortcut",
        "steps",
        "auxiliary_steps",
        "auxiliary_weighting",
    )
    return {**without(old, *how), **(without(net, "sigmoid") if old["kind"] == "pet_auxiliaries" else net)}
