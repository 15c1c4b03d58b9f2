"""The line to beat: a small U-Net on MobileNetV2 that draws nuclei and, inside their borders, a contour."""

from histolab_lib.baselines.encoded import EncoderDecoder, encoder_decoder
from histolab_lib.encoders import Pretrained

__all__ = ["strong_unet"]

# About half of what `unet` has, so that an hour of two cores is enough.
_CHANNELS = (128, 64, 48, 32, 16)


def strong_unet(
    encoder: str = "mobilenetv2_100",
    *,
    contour: bool = True,
    inputs: str = "symmetric",
    padding: str = "same",
    pretrained: Pretrained = False,
    seed: int = 0,
) -> EncoderDecoder:
    """Build the U-Net that stands beside the papers' networks as the line to beat.

    A `unet` with a decoder of 128, 64, 48, 32 and 16 channels and two maps: the mask of all nuclei, and a band of
    about 2 px along the border of each nucleus, inside it. Where two nuclei touch, their bands separate the seeds from
    which a watershed grows them again (the idea of DCAN, Chen et al. 2017).

    Parameters
    ----------
    encoder : str
        As of `unet`.
    contour : bool
        False: the mask alone, as a plain tensor; the same network otherwise.
    inputs, padding, pretrained, seed
        As of `unet`. The defaults are what the MobileNetV2 weights in the data folder (``encoders.imagenet_file``)
        were trained with.

    Returns
    -------
    EncoderDecoder
        Gives an `outputs.Output` whose ``extra["contour"]`` holds logits (N, 1, H, W); its `stride_px` is 32.

    Examples
    --------
    >>> network = strong_unet()
    >>> sum(p.numel() for p in network.parameters())
    2662178
    """
    return encoder_decoder(
        "Unet",
        encoder=encoder,
        inputs=inputs,
        padding=padding,
        pretrained=pretrained,
        seed=seed,
        extra=("contour",) if contour else (),
        decoder_channels=_CHANNELS,
    )
