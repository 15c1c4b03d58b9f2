"""U-Net, U-Net++, LinkNet and DeepLabV3+ as segmentation-models-pytorch builds them, on any encoder of timm."""

from importlib import import_module
from typing import Any

from torch import Tensor, nn

from histolab_lib.compat import ensure_torchvision
from histolab_lib.encoders import Pretrained, load_weights, timm_options
from histolab_lib.inputs import Inputs
from histolab_lib.layers import check_images, seeded_weights
from histolab_lib.outputs import Output

__all__ = ["EncoderDecoder", "deeplabv3plus", "encoder_decoder", "linknet", "unet", "unetpp"]


class EncoderDecoder(nn.Module):
    """An encoder, a decoder and a head of segmentation-models-pytorch; make it with `unet` and its kin.

    Attributes
    ----------
    stride_px : int
        What both sides of an image must be divisible by.
    extra : tuple of str
        Names of the maps beside the mask; without any, a plain tensor comes out.
    prepare : Inputs
        What the encoder sees of RGB.
    encoder, decoder, head : nn.Module
    """

    def __init__(self, network: Any, inputs: Inputs, extra: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.extra = extra
        self.stride_px = int(network.encoder.output_stride)
        self.prepare = inputs
        self.encoder, self.decoder, self.head = network.encoder, network.decoder, network.segmentation_head

    def forward(self, images: Tensor) -> Tensor | Output:
        """Map RGB in 0..1, float (N, 3, H, W), to logits (N, 1, H, W): of the mask, and of each `extra`."""
        check_images(images, 3, self.stride_px)
        maps = self.head(self.decoder(self.encoder(self.prepare(images))))
        if not self.extra:
            return maps
        mask, *others = maps.split(1, dim=1)
        return Output(mask, dict(zip(self.extra, others, strict=True)))


def encoder_decoder(
    kind: str,
    *,
    encoder: str,
    inputs: str,
    padding: str,
    pretrained: Pretrained,
    seed: int,
    extra: tuple[str, ...] = (),
    **options: Any,
) -> EncoderDecoder:
    """Build a network of segmentation-models-pytorch by its class name.

    Parameters
    ----------
    kind : str
        ``"Unet"``, ``"UnetPlusPlus"``, ``"Linknet"``, ``"DeepLabV3Plus"``.
    encoder, inputs, padding, pretrained, seed
        As of `unet`.
    extra : tuple of str
        Names of the maps beside the mask.
    **options
        Of that class.
    """
    ensure_torchvision()
    make = getattr(import_module("segmentation_models_pytorch"), kind)
    prepare = Inputs(inputs)
    options |= timm_options(encoder, padding)
    with seeded_weights(seed):
        network = make(
            f"tu-{encoder}", encoder_weights=None, in_channels=prepare.channels, classes=1 + len(extra), **options
        )
    load_weights(network.encoder.model, encoder, pretrained, inputs=inputs, padding=padding)
    return EncoderDecoder(network, prepare, extra)


def unet(
    encoder: str = "resnet34",
    *,
    inputs: str = "imagenet",
    padding: str = "symmetric",
    pretrained: Pretrained = False,
    seed: int = 0,
) -> EncoderDecoder:
    """Build a U-Net (Ronneberger et al. 2015) with a classification network as its way down.

    Five steps up of nearest-neighbour doubling, joining the encoder's map and two 3x3 convolutions with batch norm
    and ReLU, of 256, 128, 64, 32 and 16 channels; the last step has no map to join; a 3x3 convolution gives the logit.

    Parameters
    ----------
    encoder : str
        Any of timm's with maps at 1/2 to 1/32 of the size. ResNet-34 is the library's own default and about as large
        as the U-Nets of 31 to 34 million parameters that the papers compare with.
    inputs : str
        What the encoder sees, see `inputs.Inputs`.
    padding : {"symmetric", "same"}
        Of the encoder, see `encoders.PADDINGS`.
    pretrained : bool or path
        ImageNet weights of the encoder, see `encoders.load_weights`.
    seed : int
        Decides all weights that are not loaded; the global random state is left as it was.

    Returns
    -------
    EncoderDecoder
        In training mode, on the CPU; its `stride_px` is 32.

    Raises
    ------
    ValueError, DataError
        As `encoders.build_encoder`.

    Examples
    --------
    >>> network = unet("resnet18")
    >>> sum(p.numel() for p in network.parameters())
    14328209
    """
    return encoder_decoder("Unet", encoder=encoder, inputs=inputs, padding=padding, pretrained=pretrained, seed=seed)


def unetpp(
    encoder: str = "resnet34",
    *,
    inputs: str = "imagenet",
    padding: str = "symmetric",
    pretrained: Pretrained = False,
    seed: int = 0,
) -> EncoderDecoder:
    """Build a U-Net++ (Zhou et al. 2018), without deep supervision; parameters are those of `unet`.

    Each skip connection is a chain of convolutions that see all maps of their own size before them and the map below,
    doubled; one head, on the last map of the finest size. The paper's L4 in its accurate mode would average four.
    """
    return encoder_decoder(
        "UnetPlusPlus", encoder=encoder, inputs=inputs, padding=padding, pretrained=pretrained, seed=seed
    )


def linknet(
    encoder: str = "resnet34",
    *,
    inputs: str = "imagenet",
    padding: str = "symmetric",
    pretrained: Pretrained = False,
    seed: int = 0,
) -> EncoderDecoder:
    """Build a LinkNet (Chaurasia and Culurciello 2017): it adds the encoder's maps; parameters are those of `unet`.

    Five blocks of 1x1 convolution to a quarter of the channels, 4x4 transposed convolution and 1x1 convolution. The
    paper has four and a stride of 4 in its stem (ResNet-18); the modified LinkNet of this book is a network of its own.
    """
    return encoder_decoder("Linknet", encoder=encoder, inputs=inputs, padding=padding, pretrained=pretrained, seed=seed)


def deeplabv3plus(
    encoder: str = "resnet34",
    *,
    inputs: str = "imagenet",
    padding: str = "symmetric",
    pretrained: Pretrained = False,
    seed: int = 0,
) -> EncoderDecoder:
    """Build a DeepLabV3+ (Chen et al. 2018) at output stride 16; parameters are those of `unet`.

    Atrous spatial pyramid of separable convolutions at rates 12, 24 and 36, dropout of one half, 256 channels; joined
    once with the encoder's map at a quarter of the size; logits enlarged bilinearly by 4. Its `stride_px` is 16. The
    pyramid pools to one pixel before a batch norm, so training needs batches of at least 2.
    """
    return encoder_decoder(
        "DeepLabV3Plus", encoder=encoder, inputs=inputs, padding=padding, pretrained=pretrained, seed=seed
    )
