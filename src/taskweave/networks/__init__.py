"""Networks: streams that meet through units, and the published networks themselves."""

# Not lazy: a builder bears its file's name (deeplab_vgg16), and the import system would put the module in its place.
# These files need nothing but torch.
from taskweave.heads.anchors import BIRDS, PEDESTRIANS, Anchors
from taskweave.networks.alexnet_weights import load_alexnet
from taskweave.networks.attention_masks import attention_masks
from taskweave.networks.connected import Connected
from taskweave.networks.connecting import connect
from taskweave.networks.connection import Connection
from taskweave.networks.deeplab_resnet import deeplab_resnet, load_resnet
from taskweave.networks.deeplab_vgg16 import deeplab_vgg16
from taskweave.networks.dense_resnet import dense_resnet
from taskweave.networks.dense_segnet import dense_segnet
from taskweave.networks.ensemble import Ensemble
from taskweave.networks.fast_rcnn_alexnet import fast_rcnn_alexnet
from taskweave.networks.fcn32s_alexnet import fcn32s_alexnet
from taskweave.networks.latent import share_latent
from taskweave.networks.mt_unet import mt_unet
from taskweave.networks.mtan_resnet import mtan_resnet
from taskweave.networks.mtan_segnet import mtan_segnet
from taskweave.networks.pet_nets import pet_map_net, pet_numbers_net
from taskweave.networks.pet_oeq import pet_auxiliaries, pet_oeq
from taskweave.networks.pet_segnet import pet_segnet, published_stitch
from taskweave.networks.pspnet_vgg16 import pspnet_vgg16
from taskweave.networks.rpn_vgg16 import rpn_vgg16
from taskweave.networks.segnet_vgg16 import segnet_vgg16
from taskweave.networks.sharing import share
from taskweave.networks.split_resnet import split_resnet
from taskweave.networks.split_segnet import split_segnet
from taskweave.networks.st_unet import st_unet
from taskweave.networks.stan_resnet import stan_resnet
from taskweave.networks.stan_segnet import stan_segnet
from taskweave.networks.timm_classifier import load_timm, timm_classifier
from taskweave.networks.vgg16 import vgg16
from taskweave.networks.vgg_weights import load_vgg16
from taskweave.networks.weights import load_pretrained, load_weights

__all__ = [
    "BIRDS",
    "PEDESTRIANS",
    "Anchors",
    "Connected",
    "Connection",
    "Ensemble",
    "attention_masks",
    "connect",
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
    "share",
    "share_latent",
    "split_resnet",
    "split_segnet",
    "st_unet",
    "stan_resnet",
    "stan_segnet",
    "timm_classifier",
    "vgg16",
]
