"""The published networks, by family."""

# Not lazy: these files need nothing but torch.
from taskweave.heads.anchors import BIRDS, PEDESTRIANS, Anchors
from taskweave.networks.alexnet.alexnet_weights import load_alexnet
from taskweave.networks.alexnet.fast_rcnn_alexnet import fast_rcnn_alexnet
from taskweave.networks.alexnet.fcn32s_alexnet import fcn32s_alexnet
from taskweave.networks.pets.pet_nets import pet_map_net, pet_numbers_net
from taskweave.networks.pets.pet_oeq import pet_auxiliaries, pet_oeq
from taskweave.networks.pets.pet_segnet import pet_segnet, published_stitch
from taskweave.networks.resnet.deeplab_resnet import deeplab_resnet, load_resnet
from taskweave.networks.resnet.dense_resnet import dense_resnet
from taskweave.networks.resnet.mtan_resnet import mtan_resnet
from taskweave.networks.resnet.split_resnet import split_resnet
from taskweave.networks.resnet.stan_resnet import stan_resnet
from taskweave.networks.resnet.timm_classifier import load_timm, timm_classifier
from taskweave.networks.segnet.attention_masks import attention_masks
from taskweave.networks.segnet.dense_segnet import dense_segnet
from taskweave.networks.segnet.mtan_segnet import mtan_segnet
from taskweave.networks.segnet.segnet_vgg16 import segnet_vgg16
from taskweave.networks.segnet.split_segnet import split_segnet
from taskweave.networks.segnet.stan_segnet import stan_segnet
from taskweave.networks.unet.mt_unet import mt_unet
from taskweave.networks.unet.st_unet import st_unet
from taskweave.networks.vgg.deeplab_vgg16 import deeplab_vgg16
from taskweave.networks.vgg.pspnet_vgg16 import pspnet_vgg16
from taskweave.networks.vgg.rpn_vgg16 import rpn_vgg16
from taskweave.networks.vgg.vgg16 import vgg16
from taskweave.networks.vgg.vgg_weights import load_vgg16
from taskweave.networks.weights import load_pretrained, load_weights

__all__ = [
    "BIRDS",
    "PEDESTRIANS",
    "Anchors",
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
    "published_stitch",
    "rpn_vgg16",
    "segnet_vgg16",
    "split_resnet",
    "split_segnet",
    "st_unet",
    "stan_resnet",
    "stan_segnet",
    "timm_classifier",
    "vgg16",
]
