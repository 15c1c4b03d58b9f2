"""The one list of networks."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from histolab_lib import baselines
from histolab_lib.papers import dan_nucnet, gland_linknet, haru_net, histoseg, msal_net
from histolab_lib.papers.clean import recipes_of
from histolab_lib.papers.entry import Network

__all__ = ["networks"]

# Encoders whose parameters and operations are told beside the default's.
_ENCODERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"base": {}, "resnet18": {"encoder": "resnet18"}, "mobilenetv2": {"encoder": "mobilenetv2_100"}}
)

# Every build that Table 5 or the released code has; without CBAM and context fusion alike by both readings' words.
_HARU_NET: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "base": {},
        **{row: options for row, options in haru_net.ROWS.items() if options},
        "cbam_deepest": {"deep_attention": "cbam"},
        "mask_alone": {"contour": False},
        "code": {"reading": "code"},
        **{f"code__{row}": {"reading": "code", **options} for row, options in haru_net.ROWS.items() if options},
    }
)

_HISTOSEG: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"base": {}, **histoseg.ROWS, "not_pooled": {"pooled": False}, "code": {"reading": "code"}}
)

# Inputs and coarse output; the last is LinkNet as it was published.
_GLAND_LINKNET: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "base": {},
        "unsharp": {"inputs": "unsharp_hematoxylin"},
        "rgb": {"inputs": "rgb"},
        "rgb_hematoxylin": {"inputs": "rgb+hematoxylin"},
        "no_inner": {"inner": None},
        "inner_f1": {"inner": "f1"},
        "rgb__no_inner": {"inputs": "rgb", "inner": None},
    }
)

# Table 1, its network without one of its parts, and read otherwise.
_MSAL_NET: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "base": {},
        **{row: options for row, options in msal_net.ROWS.items() if options},
        "no_ddc": {"ddc": False},
        "no_eca": {"eca": False},
        "no_br": {"br": False},
        "parallel": {"eca_br": "parallel"},
        "concatenate": {"skips": "concatenate"},
        "three_convs": {"br_convs": 3},
        "res50__bottleneck": {"encoder": "resnet50", "bottleneck": True},
        "res101__bottleneck": {"encoder": "resnet101", "bottleneck": True},
    }
)

# Table 5, and what text, figure and code have differently.
_DAN_NUCNET: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "base": {},
        **{row: options for row, options in dan_nucnet.ROWS.items() if options},
        "plain_skips": {"spatial": False, "channel": False},
        "filters16": {"filters": [16, 32, 64, 128, 256]},
        "reduction16": {"reduction": 16},
        "global_pool": {"pool": "global"},
        "concatenate": {"join": "concatenate"},
        "seven": {"spatial_conv": True},
        "code": {"reading": "code"},
        **{f"code__{row}": {"reading": "code", **options} for row, options in dan_nucnet.ROWS.items() if options},
    }
)


@cache
def networks() -> Mapping[str, Network]:
    """Return every network of the book by its key; baselines first, then the papers in the order of the book."""
    return MappingProxyType(
        {
            "small_unet": Network(title="the small U-Net", make=baselines.small_unet, recipes=recipes_of("small_unet")),
            "unet": Network(title="U-Net", make=baselines.unet, recipes=recipes_of("unet"), rows=_ENCODERS),
            "unetpp": Network(title="U-Net++", make=baselines.unetpp, recipes=recipes_of("unetpp"), rows=_ENCODERS),
            "linknet": Network(
                title="LinkNet",
                make=baselines.linknet,
                recipes=recipes_of("linknet"),
                rows=_ENCODERS,
                printed=MappingProxyType({"resnet18": "gland_linknet/section-ii-b/linknet/parameters"}),
            ),
            "deeplabv3plus": Network(
                title="DeepLabV3+",
                make=baselines.deeplabv3plus,
                recipes=recipes_of("deeplabv3plus"),
                rows=_ENCODERS,
            ),
            "attention_unet": Network(
                title="Attention U-Net", make=baselines.attention_unet, recipes=recipes_of("attention_unet")
            ),
            "ce_net": Network(title="CE-Net", make=baselines.ce_net, recipes=recipes_of("ce_net"), rows=_ENCODERS),
            "nuclei_seg_net": Network(
                title="NucleiSegNet", make=baselines.nuclei_seg_net, recipes=recipes_of("nuclei_seg_net")
            ),
            "strong_unet": Network(
                title="the strong U-Net",
                make=baselines.strong_unet,
                recipes=recipes_of("strong_unet"),
                rows=MappingProxyType({"base": {}, "mask_alone": {"contour": False}}),
            ),
            "haru_net": Network(
                title="HARU-Net",
                make=haru_net.haru_net,
                recipes=haru_net.recipe,
                code="https://github.com/Junzhou-Chen/HARU-Net",
                rows=_HARU_NET,
            ),
            "histoseg": Network(
                title="HistoSeg",
                make=histoseg.histoseg,
                recipes=histoseg.recipe,
                code="https://github.com/saadwazir/HistoSeg",
                rows=_HISTOSEG,
            ),
            "gland_linknet": Network(
                title="the modified LinkNet",
                make=gland_linknet.gland_linknet,
                recipes=gland_linknet.recipe,
                rows=_GLAND_LINKNET,
                printed=MappingProxyType({"rgb__no_inner": "gland_linknet/section-ii-b/linknet/parameters"}),
            ),
            "msal_net": Network(
                title="MSAL-Net",
                make=msal_net.msal_net,
                recipes=msal_net.recipe,
                rows=_MSAL_NET,
            ),
            "dan_nucnet": Network(
                title="DAN-NucNet",
                make=dan_nucnet.dan_nucnet,
                recipes=dan_nucnet.recipe,
                code="https://github.com/ibtihajahmadkhan/DAN-Nuc-Net",
                rows=_DAN_NUCNET,
                printed=MappingProxyType({"base": "dan_nucnet/section-6.1/proposed/parameters"}),
            ),
        }
    )
