"""What every network of the book is compared with: the usual U-Nets, the book's own small one, and a strong one."""

from histolab_lib.baselines.attention_unet import AttentionUNet, attention_unet
from histolab_lib.baselines.ce_net import CENet, ce_net
from histolab_lib.baselines.encoded import EncoderDecoder, deeplabv3plus, encoder_decoder, linknet, unet, unetpp
from histolab_lib.baselines.nuclei_seg_net import NucleiSegNet, nuclei_seg_net
from histolab_lib.baselines.small import SmallUNet, small_unet
from histolab_lib.baselines.strong import strong_unet

__all__ = [
    "AttentionUNet",
    "CENet",
    "EncoderDecoder",
    "NucleiSegNet",
    "SmallUNet",
    "attention_unet",
    "ce_net",
    "deeplabv3plus",
    "encoder_decoder",
    "linknet",
    "nuclei_seg_net",
    "small_unet",
    "strong_unet",
    "unet",
    "unetpp",
]
