"""The published networks, by family."""

from typing import TYPE_CHECKING

from taskweave.lazy import lazy_names

if TYPE_CHECKING:
    from taskweave.networks.alexnet import (
        fast_rcnn_alexnet as fast_rcnn_alexnet,
        fcn32s_alexnet as fcn32s_alexnet,
        load_alexnet as load_alexnet,
    )
    from taskweave.networks.attending import attention_masks as attention_masks
    from taskweave.networks.detectors import torchvision_detector as torchvision_detector
    from taskweave.networks.pets.pet_nets import pet_map_net as pet_map_net, pet_numbers_net as pet_numbers_net
    from taskweave.networks.pets.pet_oeq import pet_auxiliaries as pet_auxiliaries, pet_oeq as pet_oeq
    from taskweave.networks.pets.pet_segnet import pet_segnet as pet_segnet
    from taskweave.networks.resnet.baselines import dense_resnet as dense_resnet, split_resnet as split_resnet
    from taskweave.networks.resnet.deeplab_resnet import (
        deeplab_resnet as deeplab_resnet,
        load_resnet as load_resnet,
        timm_classifier as timm_classifier,
    )
    from taskweave.networks.resnet.mtan_resnet import mtan_resnet as mtan_resnet, stan_resnet as stan_resnet
    from taskweave.networks.segnet.baselines import dense_segnet as dense_segnet, split_segnet as split_segnet
    from taskweave.networks.segnet.mtan_segnet import mtan_segnet as mtan_segnet, stan_segnet as stan_segnet
    from taskweave.networks.segnet.segnet_vgg16 import segnet_vgg16 as segnet_vgg16
    from taskweave.networks.unet.mt_unet import mt_unet as mt_unet
    from taskweave.networks.unet.st_unet import st_unet as st_unet
    from taskweave.networks.vgg.networks import (
        deeplab_vgg16 as deeplab_vgg16,
        pspnet_vgg16 as pspnet_vgg16,
        rpn_vgg16 as rpn_vgg16,
        vgg16 as vgg16,
    )
    from taskweave.networks.vgg.weights import load_vgg16 as load_vgg16
    from taskweave.networks.weights import (
        load_pretrained as load_pretrained,
        load_timm as load_timm,
        load_weights as load_weights,
    )
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, __file__)
