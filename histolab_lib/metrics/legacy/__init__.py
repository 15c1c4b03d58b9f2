"""Scores as released code computes them: exhibits, each with the reason why it is not what its name says.

The book shows what these do to a number; nothing else calls them. Every function is written here from a reading of the
program that it names, literally where the fault lies and no more: where that program needs ids without gaps or a pixel
of background, these take any map. Positional arguments are ``true, pred`` here, whatever they were there.
"""

from histolab_lib.metrics.legacy.dan_nucnet import (
    DanNucNetAverages,
    dan_nucnet_averages,
    dan_nucnet_jaccard,
    dan_nucnet_precision,
    dan_nucnet_recall,
)
from histolab_lib.metrics.legacy.glands import (
    glas_f1_from_half,
    glas_port_object_dice,
    glas_port_object_hausdorff,
)
from histolab_lib.metrics.legacy.haru_net import (
    HaruNetAverages,
    haru_net_aji,
    haru_net_averages,
    haru_net_dice,
    haru_net_first_pq,
    haru_net_pq,
)
from histolab_lib.metrics.legacy.histoseg import histoseg_dice, histoseg_f1, histoseg_mean_iou
from histolab_lib.metrics.legacy.nuclei import (
    cellpose_aji,
    hover_net_aji,
    hover_net_dice,
    kumar_pseudocode_aji,
    panopticapi_pq,
)

__all__ = [
    "DanNucNetAverages",
    "HaruNetAverages",
    "cellpose_aji",
    "dan_nucnet_averages",
    "dan_nucnet_jaccard",
    "dan_nucnet_precision",
    "dan_nucnet_recall",
    "glas_f1_from_half",
    "glas_port_object_dice",
    "glas_port_object_hausdorff",
    "haru_net_aji",
    "haru_net_averages",
    "haru_net_dice",
    "haru_net_first_pq",
    "haru_net_pq",
    "histoseg_dice",
    "histoseg_f1",
    "histoseg_mean_iou",
    "hover_net_aji",
    "hover_net_dice",
    "kumar_pseudocode_aji",
    "panopticapi_pq",
]
