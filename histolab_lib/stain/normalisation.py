"""Make one tile look as if it had been stained like another: two stains, their vectors and their strength."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib.stain.amounts import concentrations
from histolab_lib.stain.density import as_density, od_to_rgb
from histolab_lib.stain.estimation import estimate_macenko, estimate_vahadane
from histolab_lib.stain.tissue import BETA, LEAST_SHARE, StainError, check_little_tissue, tissue_density

__all__ = ["METHODS", "StainProfile", "normalise", "profile_of"]

_Floats = npt.NDArray[np.float64]

#: How stains are estimated. Fixed vectors are not among them: what lies outside their plane would be lost, 24 grey
#: levels on average on a synthetic tile with Ruifrok's.
METHODS = ("macenko", "vahadane")
_ESTIMATORS: dict[str, Callable[..., _Floats]] = {"macenko": estimate_macenko, "vahadane": estimate_vahadane}
_STRENGTH_PERCENTILE = 99
_LEAST_STRENGTH = 0.05  # a third of what makes a pixel tissue


@dataclass(frozen=True, eq=False)
class StainProfile:
    """How a tile is stained.

    Attributes
    ----------
    method : {"macenko", "vahadane"}
        How it was measured; `normalise` measures the other tile in the same way.
    stains : ndarray of float64, shape (2, 3)
        Rows hematoxylin and eosin.
    strength : ndarray of float64, shape (2,)
        The 99th percentile of each stain's amount over the tissue, in units of optical density.
    """

    method: str
    stains: npt.NDArray[np.float64]
    strength: npt.NDArray[np.float64]


def profile_of(image: npt.NDArray[Any], *, method: str) -> StainProfile:
    """Measure how a tile is stained.

    Parameters
    ----------
    image : ndarray of uint8 or float, shape (H, W, 3)
        RGB or densities, see `as_density`. Tiles of one slide, stacked, give the slide's profile.
    method : {"macenko", "vahadane"}
        See `estimate_macenko`, `estimate_vahadane`.

    Returns
    -------
    StainProfile

    Raises
    ------
    StainError
        If there is too little tissue, only one stain, or none of one of them.
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    Veta's MATLAB code of Macenko's method takes the percentile over all pixels; glass then makes a tile count as paler.
    Over tissue a pale tile counts as slightly darker, because its palest tissue is taken for glass. Vahadane's amounts
    are never negative, Macenko's may be.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(map(repr, METHODS))}, got {method!r}")
    tissue = tissue_density(image, beta=BETA, least_share=LEAST_SHARE)
    stains = _ESTIMATORS[method](image)
    amounts = concentrations(tissue[None], stains, solver=_solver(method))[0]
    strength = np.percentile(amounts, _STRENGTH_PERCENTILE, axis=0)
    if strength.min() < _LEAST_STRENGTH:
        raise StainError(
            f"a stain is missing: 99 % of the tissue hold no more hematoxylin and eosin than {strength.round(3)}, "
            f"needed are {_LEAST_STRENGTH:g} of each; use stains of its slide"
        )
    return StainProfile(method, stains, strength)


def normalise(
    image: npt.NDArray[np.uint8], to: StainProfile, *, on_little_tissue: str, source: StainProfile | None = None
) -> npt.NDArray[np.uint8]:
    """Give a tile the stains of another.

    The amounts of hematoxylin and eosin are kept in place, scaled so that their 99th percentiles become those of `to`,
    and mixed with the stain vectors of `to` (Macenko et al., ISBI 2009; Vahadane et al. 2016).

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        RGB.
    to : StainProfile
        What it shall look like: `profile_of` the target.
    on_little_tissue : {"raise", "identity"}
        Where the tile cannot say how it is stained (see `StainError`): raise, or give the tile back as it is. No
        default: a white tile is an error in an experiment and everyday business in a slide.
    source : StainProfile, optional
        How the tile is stained, where that is known from its slide; then nothing is estimated and no tile is too white.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        A new array. What two stains cannot explain (pigment, ink, the blue of a fold) is lost.

    Raises
    ------
    StainError
        If ``on_little_tissue="raise"`` and the tile does not say how it is stained.
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    >>> from histolab_lib.stain.density import RUIFROK_HED
    >>> rng = np.random.default_rng(0)
    >>> tissue = od_to_rgb(rng.gamma(1.0, 0.3, (64, 64, 2)) @ RUIFROK_HED[:2])
    >>> pale = od_to_rgb(as_density(tissue) / 2)
    >>> target = profile_of(tissue, method="macenko")
    >>> again = normalise(pale, target, on_little_tissue="raise")
    >>> [round(float(np.abs(each.astype(int) - tissue).mean())) for each in (pale, again)]
    [37, 3]
    >>> white = np.full((8, 8, 3), 250, np.uint8)
    >>> bool((normalise(white, target, on_little_tissue="identity") == white).all())
    True
    """
    check_little_tissue(on_little_tissue)
    density = as_density(image)
    try:
        source = source or profile_of(density, method=to.method)
    except StainError:
        if on_little_tissue == "raise":
            raise
        return image.copy()
    amounts = concentrations(density, source.stains, solver=_solver(source.method))
    return od_to_rgb((amounts * (to.strength / source.strength)) @ to.stains)


def _solver(method: str) -> str:
    return "non_negative" if method == "vahadane" else "least_squares"
