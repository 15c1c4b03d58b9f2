"""Which network of this book a printed name stands for."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from histolab_lib.claims.vocabulary import PAPERS

__all__ = ["network_called"]

# Letters, digits and plus signs alone, as names are compared.
_OWN = {
    "proposed", "proposednetwork", "proposedarchitecture", "proposedmodel", "proposedmethod", "ourmethod", "ours",
}  # fmt: skip
_OTHERS: Mapping[str, str] = MappingProxyType(
    {
        "unet": "unet",
        "unet++": "unetpp",
        "linknet": "linknet",
        "deeplabv3+": "deeplabv3plus",
        "attentionunet": "attention_unet",
        "cenet": "ce_net",
        "nucleisegnet": "nuclei_seg_net",
        "nuclisegnet": "nuclei_seg_net",
    }
)


def network_called(name: str, paper: str) -> str | None:
    """Return the key of the network that a paper calls so; None where it is none of this book.

    Parameters
    ----------
    name : str
        As printed: case, hyphens and spaces do not matter.
    paper : str
        Key of the paper that prints it, whose own network is also "ours" or "the proposed method".

    Examples
    --------
    >>> network_called("Attention-Unet", "msal_net"), network_called("Proposed Method", "histoseg")
    ('attention_unet', 'histoseg')
    >>> print(network_called("Bio-Net", "msal_net"))
    None
    """
    called = _plain(name)
    if called in _OWN or called in {_plain(paper), _plain(PAPERS.get(paper, paper))}:
        return paper
    return _OTHERS.get(called)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9+]", "", name.lower())
