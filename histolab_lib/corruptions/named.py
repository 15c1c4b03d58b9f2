"""The corruptions by name, each with its unit and its steps."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from histolab_lib.corruptions import optics, scale, staining
from histolab_lib.tile import Tile

__all__ = ["CORRUPTIONS", "Corruption"]


@dataclass(frozen=True)
class Corruption:
    """One way of making images worse: called with a tile and a strength, it returns the tile made worse.

    A third argument, ``seed=0``, decides noise, together with the name of the tile.

    Attributes
    ----------
    name : str
    what : str
        In words.
    unit : str
        Of its strengths.
    steps : tuple of float
        Strengths, from none to strong. The first leaves a tile as it is.
    change : callable
        Takes a tile, a strength, and a generator of random numbers; returns a tile.

    Examples
    --------
    >>> tile = Tile("demo", np.full((8, 8, 3), 200, np.uint8), np.zeros((8, 8), np.int32))
    >>> dark = CORRUPTIONS["dimmer"](tile, 0.5)
    >>> int(dark.image[0, 0, 0]), dark.source["corrupted_by"]
    (100, (('dimmer', 0.5),))
    >>> CORRUPTIONS["dimmer"](tile, 1) is tile
    True
    """

    name: str
    what: str
    unit: str
    steps: tuple[float, ...]
    change: Callable[[Tile, float, np.random.Generator], Tile] = field(repr=False)

    def __post_init__(self) -> None:
        rising = np.diff(self.steps)
        if not self.steps or not ((rising > 0).all() or (rising < 0).all()):
            raise ValueError(f"{self.name}: steps must begin with none and only rise or only fall, got {self.steps}")

    @property
    def none(self) -> float:
        """The strength that changes nothing."""
        return self.steps[0]

    def __call__(self, tile: Tile, strength: float, *, seed: int = 0) -> Tile:
        """Return a tile made worse.

        Parameters
        ----------
        tile : Tile
        strength : float
            In `unit`; it need not be among the `steps`.
        seed : int
            Decides noise, together with the name of the tile: the same pattern whatever the strength, and whichever
            tiles came before.

        Returns
        -------
        Tile
            `tile` itself where the strength is `none`. ``source["corrupted_by"]`` says what was done, in order.

        Raises
        ------
        ValueError
            If the strength makes no sense, or the tile does not say its stains where they are changed
            (`stain.StainError`); the message names corruption and tile.
        """
        if strength == self.none:
            return tile
        rng = np.random.default_rng([seed, zlib.crc32(tile.name.encode())])
        try:
            worse = self.change(tile, strength, rng)
        except ValueError as error:
            raise type(error)(f"{self.name}, tile {tile.name}: {error}") from error
        done = (*tile.source.get("corrupted_by", ()), (self.name, strength))
        return replace(worse, source={**worse.source, "corrupted_by": done})

    def at(self, *strengths: float) -> "Corruption":
        """Return the same corruption with other steps after none.

        Examples
        --------
        >>> CORRUPTIONS["blur"].at(1.5, 3).steps
        (0, 1.5, 3)
        """
        return replace(self, steps=(self.none, *strengths))


def _pixels(change: Callable[..., optics.Image]) -> Callable[[Tile, float, np.random.Generator], Tile]:
    """Of a change of pixels one of tiles, whose objects stay where they are."""
    return lambda tile, strength, rng: replace(tile, image=change(tile.image, strength, rng))


#: Each alone. Stains are those of the tile itself (`own_stains`). Where 20x and 40x are named, tiles are taken as 40x.
CORRUPTIONS: Mapping[str, Corruption] = MappingProxyType(
    {
        one.name: one
        for one in (
            Corruption(
                "less_hematoxylin",
                "hematoxylin alone fades",
                "times the hematoxylin",
                (1, 0.8, 0.6, 0.4, 0.2),
                _pixels(lambda image, factor, rng: staining.scale_stains(image, hematoxylin=factor)),
            ),
            Corruption(
                "more_eosin",
                "eosin alone grows stronger",
                "times the eosin",
                (1, 1.5, 2, 3, 4),
                _pixels(lambda image, factor, rng: staining.scale_stains(image, eosin=factor)),
            ),
            Corruption(
                "paler",
                "a thinner section, or a shorter bath: less of both stains",
                "times both stains",
                (1, 0.8, 0.6, 0.4, 0.2),
                _pixels(lambda image, factor, rng: staining.scale_stains(image, hematoxylin=factor, eosin=factor)),
            ),
            Corruption(
                "darker",
                "a thicker section: more of both stains",
                "times both stains",
                (1, 1.25, 1.5, 2, 3),
                _pixels(lambda image, factor, rng: staining.scale_stains(image, hematoxylin=factor, eosin=factor)),
            ),
            Corruption(
                "redder",
                "both stain vectors turned, hematoxylin towards eosin",
                "degrees",
                (0, 5, 10, 15, 20),
                _pixels(lambda image, degrees, rng: staining.turn_stains(image, degrees)),
            ),
            Corruption(
                "bluer",
                "both stain vectors turned, eosin towards hematoxylin",
                "degrees",
                (0, 5, 10, 15, 20),
                _pixels(lambda image, degrees, rng: staining.turn_stains(image, -degrees)),
            ),
            Corruption(
                "dimmer",
                "less light through the slide",
                "times the light",
                (1, 0.9, 0.75, 0.6, 0.45),
                _pixels(lambda image, factor, rng: optics.change_light(image, factor)),
            ),
            Corruption(
                "blur",
                "out of focus",
                "sigma in px",
                (0, 1, 2, 3, 4),
                _pixels(lambda image, sigma_px, rng: optics.blur(image, sigma_px)),
            ),
            Corruption(
                "jpeg",
                "compressed once more; 100: not",
                "JPEG quality",
                (100, 80, 50, 30, 10),
                _pixels(lambda image, quality, rng: optics.compress_jpeg(image, quality)),
            ),
            Corruption(
                "noise",
                "noise of the electronics, equally strong everywhere",
                "sd in grey levels",
                (0, 5, 10, 20, 40),
                _pixels(optics.add_gaussian_noise),
            ),
            Corruption(
                "photon_noise",
                "too few photons: noise that grows with the light",
                "sd in grey levels, at white",
                (0, 5, 10, 20, 40),
                _pixels(optics.add_photon_noise),
            ),
            Corruption(
                "coarser",
                "40x seen through larger pixels and enlarged again; 2 is 20x",
                "times the pixel size",
                (1, 1.5, 2, 3, 4),
                _pixels(lambda image, factor, rng: scale.coarsen(image, factor)),
            ),
            Corruption(
                "smaller",
                "a lower magnification than the tile's own, and nobody tells; 2 is 20x for 40x",
                "times the pixel size",
                (1, 1.25, 1.5, 2, 3),
                lambda tile, factor, rng: scale.rescale(tile, factor),
            ),
        )
    }
)
