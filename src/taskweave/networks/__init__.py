"""The published networks, by family."""

# Not lazy: importing these files needs nothing but torch and pydantic; timm and torchvision are imported when asked for.
from taskweave.networks.alexnet import fast_rcnn_alexnet, fcn32s_alexnet, load_alexnet
from taskweave.networks.attending import attention_masks
from taskweave.networks.deeplab_resnet import deeplab_resnet, load_resnet, timm_classifier
from taskweave.networks.mt_unet import mt_unet
from taskweave.networks.mtan_resnet import mtan_resnet, stan_resnet
from taskweave.networks.mtan_segnet import mtan_segnet, stan_segnet
from taskweave.networks.pet_nets import pet_map_net, pet_numbers_net
from taskweave.networks.pet_oeq import pet_auxiliaries, pet_oeq
from taskweave.networks.pet_segnet import pet_segnet
from taskweave.networks.resnet_baselines import dense_resnet, split_resnet
from taskweave.networks.segnet_baselines import dense_segnet, split_segnet
from taskweave.networks.segnet_vgg16 import segnet_vgg16
from taskweave.networks.st_unet import st_unet
from taskweave.networks.torchvision_detector import torchvision_detector
from taskweave.networks.vgg import deeplab_vgg16, pspnet_vgg16, rpn_vgg16, vgg16
from taskweave.networks.vgg_weights import load_vgg16
from taskweave.networks.weights import load_pretrained, load_timm, load_weights

__all__ = [
    "attention_masks",
    "deeplab_resnet",
    "deeplab_vgg16",
    "dense_resnet",
    "dense_segnet",
    "fast_rcnn_alexnet",
    "fcn32s_alexnet",
    "load_alexnet",
    "load_pretrained",
    "load_resnet",
    "load_timm",
    "load_vgg16",
    "load_weights",
    "mt_unet",
    "mtan_resnet",
    "mtan_segnet",
    "pet_auxiliaries",
    "pet_map_net",
    "pet_numbers_net",
    "pet_oeq",
    "pet_segnet",
    "pspnet_vgg16",
    "rpn_vgg16",
    "segnet_vgg16",
    "split_resnet",
    "split_segnet",
    "st_unet",
    "stan_resnet",
    "stan_segnet",
    "timm_classifier",
    "torchvision_detector",
    "vgg16",
]
