"""Encoders: classification networks of timm, cut where maps are taken from them, with weights from a file or not."""

from collections.abc import Mapping
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from histolab_lib.choices import choose
from histolab_lib.compat import ensure_torchvision
from histolab_lib.data_dir import DataError, tissue_dir
from histolab_lib.inputs import IMAGENET_MEAN

__all__ = ["PADDINGS", "Pretrained", "build_encoder", "imagenet_file", "load_weights", "timm_options"]

#: What `pretrained` can be: False, random weights; True, timm downloads them; a path of a safetensors file.
Pretrained = bool | str | PathLike[str]

#: How a convolution with stride 2 pads: the same on both sides as PyTorch does, or, as TensorFlow does ("same"), at
#: the right and lower border only. It decides by half a pixel where a map lies, so weights go with one of the two.
PADDINGS = ("symmetric", "same")

_OFFLINE = (
    "give pretrained=False for random weights, or the path of a safetensors file with timm's names, which can be "
    "fetched where there is a network; what timm downloaded once is found again without one"
)

# Which of `inputs.Inputs` subtracts this mean.
_MEANS = {IMAGENET_MEAN: "imagenet", (0.5, 0.5, 0.5): "symmetric"}


def build_encoder(
    name: str,
    *,
    in_channels: int = 3,
    maps: tuple[int, ...] = (0, 1, 2, 3, 4),
    output_stride: int = 32,
    padding: str = "symmetric",
    inputs: str = "imagenet",
    pretrained: Pretrained = False,
) -> nn.Module:
    """Build an encoder that gives a list of maps.

    Parameters
    ----------
    name : str
        As timm calls it: ``"resnet34"``, ``"mobilenetv2_100"``.
    in_channels : int
        Channels of what it sees, see `inputs.Inputs`. ImageNet weights are for three.
    maps : tuple of int
        Which of timm's stages to give, finest first. Of a ResNet 0 is the stem at half of the size, before its
        pooling, and 1 to 4 are its layers.
    output_stride : int
        8, 16 or 32: how much smaller the last map is. What lies behind is dilated instead of strided.
    padding, inputs, pretrained
        See `load_weights`.

    Returns
    -------
    nn.Module
        timm's ``features_only`` network: ``forward`` gives one (N, c, h, w) tensor per map, and
        ``feature_info.channels()`` and ``feature_info.reduction()`` tell their channels and strides.

    Raises
    ------
    ValueError
        If there is no such encoder, or padding, inputs or weights do not fit it or one another.
    DataError
        If the weights cannot be had.

    Examples
    --------
    >>> encoder = build_encoder("resnet18", maps=(1, 4))
    >>> encoder.feature_info.channels(), encoder.feature_info.reduction()
    ([64, 512], [4, 32])
    """
    timm = _timm()
    options = timm_options(name, padding)
    if output_stride != 32:
        options["output_stride"] = output_stride
    network: nn.Module = timm.create_model(
        name, pretrained=False, features_only=True, out_indices=maps, in_chans=in_channels, **options
    )
    load_weights(network, name, pretrained, inputs=inputs, padding=padding)
    return network


def timm_options(name: str, padding: str) -> dict[str, Any]:
    """Return what timm needs to be told to build `name` with this padding, and check both names.

    Raises
    ------
    ValueError
        If there is no such encoder or padding, or this encoder always pads symmetrically.
    """
    timm = _timm()
    if not timm.is_model(name):
        choose("encoder (a model of timm)", name, timm.list_models(f"*{name[:4]}*") or timm.list_models("resnet*"))
    if choose("padding", padding, PADDINGS) == "symmetric":
        return {}
    try:
        with torch.device("meta"):
            timm.create_model(name, pad_type="same")
    except TypeError:
        raise ValueError(f"the encoder {name!r} pads symmetrically; padding='same' is for MobileNet's kin") from None
    return {"pad_type": "same"}


def load_weights(encoder: nn.Module, name: str, pretrained: Pretrained, *, inputs: str, padding: str) -> None:
    """Load weights into one of timm's networks, every tensor of it: ImageNet's, or any in a file with timm's names.

    Parameters
    ----------
    encoder : nn.Module
        Of timm, whole or ``features_only``; changed in place.
    name : str
        As timm calls it.
    pretrained : bool or path
        False: nothing is done. True: timm's ImageNet weights, downloaded where they are not in its cache. A path: a
        safetensors file with timm's names, in any float type; what the classifier needs and `encoder` lacks is passed
        over, anything else must fit.
    inputs, padding : str
        What the network sees and how it pads. Weights trained otherwise are refused rather than loaded: a wrong one
        costs accuracy and raises no error later. A file tells in its metadata (``input``, ``pad_type``); one that does
        not is trusted.

    Raises
    ------
    ValueError
        If the weights were trained with another input or padding.
    DataError
        If they cannot be downloaded or read, or do not fit.
    """
    if pretrained is False:
        return
    state, says = _downloaded(name) if pretrained is True else _read(Path(pretrained))
    _check_agreement(name, says, {"inputs": inputs.split("+")[0], "padding": padding})
    own = encoder.state_dict()
    _check_fit(name, pretrained, own, state)
    encoder.load_state_dict({key: value for key, value in state.items() if key in own}, strict=True)


def imagenet_file(name: str) -> Path:
    """Return where the ImageNet weights of an encoder lie in the data folder: ``weights/NAME_imagenet.safetensors``.

    Raises
    ------
    DataError
        If ``HISTOLAB_DATA`` is not set, or has no such file.
    """
    folder = tissue_dir()
    if folder is None:
        raise DataError(f"the ImageNet weights of {name} are looked for in HISTOLAB_DATA, which is not set; {_OFFLINE}")
    path = folder / "weights" / f"{name}_imagenet.safetensors"
    if not path.is_file():
        raise DataError(f"{path}: no such file, so there are no ImageNet weights of {name} here; {_OFFLINE}")
    return path


def _timm() -> Any:
    ensure_torchvision()
    return import_module("timm")


def _downloaded(name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    timm = _timm()
    try:
        network = timm.create_model(name, pretrained=True)
    except Exception as error:  # each layer below raises its own: no network, no such file, no weights at all
        raise DataError(
            f"the ImageNet weights of {name} could not be downloaded ({type(error).__name__}: {error}); {_OFFLINE}"
        ) from error
    inputs = _MEANS.get(tuple(network.pretrained_cfg["mean"]))
    padding = "same" if name.startswith("tf_") else "symmetric"
    return network.state_dict(), {"padding": padding} | ({"inputs": inputs} if inputs else {})


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            state, notes = {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path}: cannot be read as safetensors ({error}); {_OFFLINE}") from error
    says = {"padding": notes["pad_type"] or "symmetric"} if "pad_type" in notes else {}
    if "x/127.5-1" in notes.get("input", "").replace(" ", ""):
        says["inputs"] = "symmetric"
    return state, says


def _check_agreement(name: str, says: Mapping[str, str], given: Mapping[str, str]) -> None:
    wrong = [key for key, value in says.items() if given[key] != value]
    if wrong:
        wanted = ", ".join(f"{key}={says[key]!r}" for key in wrong)
        got = ", ".join(f"{key}={given[key]!r}" for key in wrong)
        raise ValueError(f"these weights of {name} were trained with {wanted}, got {got}; pass {wanted}")


def _check_fit(name: str, source: object, own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
    """Raise unless `state` holds all of `own`, and besides nothing but what the whole classifier holds."""
    with torch.device("meta"):
        whole = set(_timm().create_model(name).state_dict())
    problems = {
        "missing": sorted(key for key in set(own) - set(state) if not key.endswith("num_batches_tracked")),
        "unknown": sorted(set(state) - set(own) - whole),
        "of another shape": sorted(key for key in set(own) & set(state) if own[key].shape != state[key].shape),
    }
    told = [
        f"{len(keys)} {what} ({', '.join(keys[:3])}{', ...' * (len(keys) > 3)})"
        for what, keys in problems.items()
        if keys
    ]
    if told:
        where = "timm's weights" if source is True else str(source)
        raise DataError(f"{where}: not the weights of this {name}: {'; '.join(told)}")
