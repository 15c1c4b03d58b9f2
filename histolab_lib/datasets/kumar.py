"""Kumar 2017: the 30 training tiles of MoNuSeg, under the splits by organ that came with them.

Kumar et al. train on 16 tiles of four organs and test on 8 of the same organs and 6 of three others. Which tiles
these are, the paper does not say, and two lists are in circulation: that of HoVer-Net, whose authors write that
no exact split was given, and that of WeakNucleiSeg, which also parts the 16 into 12 and 4. Both agree about the
six tiles of other organs alone. Either way the 14 test tiles are training tiles of MoNuSeg: a network trained on
that set has seen them.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from histolab_lib.choices import choose
from histolab_lib.datasets import monuseg
from histolab_lib.datasets.files import set_folder
from histolab_lib.datasets.polygons import DEFAULT_CONVENTION
from histolab_lib.datasets.sequence import TileSequence

__all__ = ["GROUP", "GROUPS", "SPLITS", "VERSIONS", "groups", "load", "names", "present", "validate"]

#: What a validation split keeps apart, and what else it may keep apart.
GROUP = "organ"
GROUPS = monuseg.GROUPS
SPLITS = ("train", "test_same", "test_diff", "test", "fit", "val")
#: The splits of each version; the first is the default.
VERSIONS: Mapping[str, tuple[str, ...]] = MappingProxyType({"hovernet": SPLITS[:4], "weaknucleiseg": SPLITS})

_PARTS = {
    "train": ("train", "val"),
    "test_same": ("test_same",),
    "test_diff": ("test_diff",),
    "test": ("test_same", "test_diff"),
    "fit": ("train",),
    "val": ("val",),
}


def load(
    split: str, *, version: str = "hovernet", raster: str = DEFAULT_CONVENTION, labels: str = "auto"
) -> TileSequence:
    """Return the tiles of a split, lazily.

    Parameters
    ----------
    split : {"train", "test_same", "test_diff", "test", "fit", "val"}
        16 training tiles, 8 test tiles of the same four organs, 6 of three others, or all 14 test tiles. Only the
        second version has ``fit`` and ``val``, the 12 and 4 that its ``train`` is made of.
    version : {"hovernet", "weaknucleiseg"}
        Which of the two lists in circulation (see the top of this module).
    raster, labels : str
        As in `histolab_lib.datasets.monuseg.load`.

    Returns
    -------
    TileSequence
        Sorted by name; the tiles are those of `histolab_lib.datasets.monuseg`.

    Raises
    ------
    ValueError
        If an option is unknown, or the version has no such split.
    DataError
        If files that the split needs are missing.
    """
    wanted = names(split, version=version)
    files = monuseg.locate(set_folder("monuseg", page=monuseg.PAGE), "train")
    return monuseg.sequence("kumar", {name: files[name] for name in wanted}, raster=raster, labels=labels)


def names(split: str, *, version: str = "hovernet") -> tuple[str, ...]:
    """Return the names of the tiles of a split; no file of the set is read.

    Examples
    --------
    >>> len(names("train")), len(names("test")), len(names("val", version="weaknucleiseg"))
    (16, 14, 4)
    >>> names("test_diff") == names("test_diff", version="weaknucleiseg")
    True
    >>> len(set(names("test_same")) & set(names("test_same", version="weaknucleiseg")))
    5
    >>> names("val")
    Traceback (most recent call last):
    ...
    ValueError: unknown 'kumar' 'hovernet' split 'val'. Allowed: 'train', 'test_same', 'test_diff', 'test'
    """
    choose("'kumar' version", version, VERSIONS)
    choose("'kumar' split", split, SPLITS)
    choose(f"'kumar' {version!r} split", split, VERSIONS[version])
    return tuple(sorted(name for name, row in monuseg.facts().items() if row[f"{version}_split"] in _PARTS[split]))


def groups(
    split: str,
    *,
    by: str = GROUP,
    version: str = "hovernet",
    raster: str = DEFAULT_CONVENTION,
    labels: str = "auto",
) -> dict[str, str]:
    """Return the organ (or patient, ``by="patient"``) of each tile; no file of the set is read.

    The other options are those of `load`, and change nothing here.
    """
    return monuseg.grouped(names(split, version=version), by)


def present(folder: Path) -> dict[str, int]:
    """Return how many tiles of each split have an image and some labels.

    ``fit`` and ``val`` are those of the second version, the others those of the first.
    """
    files = monuseg.locate(folder, "train")
    versions = {split: "hovernet" if split in VERSIONS["hovernet"] else "weaknucleiseg" for split in SPLITS}
    return {
        split: sum(files[name].complete for name in names(split, version=version))
        for split, version in versions.items()
    }


def validate(folder: Path) -> list[str]:
    """Return what is wrong with the 30 tiles on disk: see `histolab_lib.datasets.monuseg.validate`."""
    return monuseg.validate(folder, splits=("train",))
