"""Published numbers as data: one row for each number, where it is printed and what it is about (``data/claims``)."""

from histolab_lib.claims.comparison import Comparison
from histolab_lib.claims.files import claim, load_claims, variants_of
from histolab_lib.claims.networks import network_called
from histolab_lib.claims.one import Claim
from histolab_lib.claims.vocabulary import (
    AVERAGING,
    COMPARING,
    DATASETS,
    DISTANCES,
    HEADER,
    METRICS,
    PAPERS,
    SCORES,
    SPLITS,
    UNREADABLE,
    VERSION,
    WORDED,
)

__all__ = [
    "AVERAGING",
    "COMPARING",
    "DATASETS",
    "DISTANCES",
    "HEADER",
    "METRICS",
    "PAPERS",
    "SCORES",
    "SPLITS",
    "UNREADABLE",
    "VERSION",
    "WORDED",
    "Claim",
    "Comparison",
    "claim",
    "load_claims",
    "network_called",
    "variants_of",
]
