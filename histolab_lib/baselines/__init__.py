"""What every network of the book is compared with: the usual U-Nets, the book's own small one, and a strong one."""

from histolab_lib.baselines.encoded import EncoderDecoder, deeplabv3plus, encoder_decoder, linknet, unet, unetpp
from histolab_lib.baselines.small import SmallUNet, small_unet
from histolab_lib.baselines.strong import strong_unet

__all__ = [
    "EncoderDecoder",
    "SmallUNet",
    "deeplabv3plus",
    "encoder_decoder",
    "linknet",
    "small_unet",
    "strong_unet",
    "unet",
    "unetpp",
]
