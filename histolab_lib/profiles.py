"""What a profile means for a chapter: which tissue, how long to train, on which device.

A chapter asks once, ``run = begin(profile)``, and uses what it is given; it never branches on the profile.
"""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from histolab_lib import datasets
from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError, tissue_dir
from histolab_lib.datasets.registry import entries
from histolab_lib.datasets.synthetic import PRESET_NAMES
from histolab_lib.tile import Tile

__all__ = ["PROFILES", "RUN_MIME", "Profile", "Run", "begin", "has_gpu_driver"]

#: Under this type a run tells the pipeline what it ran on; notebooks without the pipeline show the text beside it.
RUN_MIME = "application/vnd.histolab.run+json"


@dataclass(frozen=True)
class Profile:
    """The settings of one profile.

    Attributes
    ----------
    name : str
    tissue : {"synthetic", "real if found", "real"}
        Smoke never looks at real tissue; paper stops without it.
    steps, batch_size, crop_px : int
        Live training: batches, crops in each, their side in pixels.
    width : int
        Channels of a network's finest level.
    lr : float
        Learning rate at the start.
    synthetic_tiles : mapping of str to int
        Number of synthetic tiles by split, where tissue is synthetic.
    """

    name: str
    tissue: str
    steps: int
    batch_size: int
    crop_px: int
    width: int
    lr: float
    synthetic_tiles: Mapping[str, int]


_SMALL = {"train": 32, "val": 4, "test": 8}
_LARGE = {"train": 64, "val": 8, "test": 16}

#: Smoke is sized for 40 seconds of one core, colab for ten minutes of a free GPU (seven on two cores); paper is the
#: longest schedule, for a GPU.
PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("smoke", "synthetic", 350, 8, 64, 8, 3e-3, _SMALL),
        Profile("colab", "real if found", 2_000, 8, 128, 16, 2e-3, _LARGE),
        Profile("paper", "real", 20_000, 16, 256, 32, 2e-3, _LARGE),
    )
}


@dataclass(frozen=True)
class Run:
    """A chapter's run: the profile, resolved for this machine.

    Attributes
    ----------
    profile : Profile
    seed : int
    data : str
        The set that the chapter is about, such as ``"monuseg"``.
    sets : tuple of str
        The real sets that the chapter may use: those of its sets that this machine has, and none in smoke.
    device : str
        ``"cuda"`` or ``"cpu"``.
    """

    profile: Profile
    seed: int
    data: str
    sets: tuple[str, ...]
    device: str

    @property
    def real(self) -> bool:
        """Whether `tiles` gives the real set; else it gives synthetic tissue."""
        return self.data in self.sets

    @property
    def tissue(self) -> str:
        """What is on the page's pictures, in words."""
        return f"real tissue ({', '.join(self.sets)})" if self.sets else "synthetic tissue"

    @cached_property
    def device_name(self) -> str:
        """The device as people name it."""
        if self.device == "cpu":
            return "CPU"
        import torch

        return str(torch.cuda.get_device_name())

    def tiles(self, split: str) -> Sequence[Tile]:
        """Return the tiles of a split: of the real set or, where the profile or the machine has none, synthetic.

        Synthetic tissue has outlines of what the set has, nuclei or glands.

        Parameters
        ----------
        split : {"train", "test"}
            Splits that the set and synthetic tissue both have; of a set with several test sets the first.
        """
        about = entries()[self.data]
        if self.real:
            named = [name for name in about.splits if name.startswith(split)]
            return datasets.load(self.data, split if split in about.splits or not named else named[0])
        counts = self.profile.synthetic_tiles
        if split not in counts:
            raise ValueError(f"unknown split {split!r} of synthetic tissue; there are {', '.join(counts)}")
        return datasets.load("synthetic", split, n=counts[split], objects=about.objects)

    def samples(self) -> list[Tile]:
        """Return the first tile of each real set that the chapter may use, or one of each synthetic tissue."""
        if self.sets:
            return [datasets.load(name, next(iter(entries()[name].splits)))[0] for name in self.sets]
        return [datasets.load("synthetic", "train", n=1, preset=preset)[0] for preset in PRESET_NAMES[1:]]

    def __str__(self) -> str:
        p = self.profile
        return (
            f"profile {p.name}: {self.tissue}, on the {self.device_name}\n"
            f"training: {p.steps} steps of {p.batch_size} crops of {p.crop_px} x {p.crop_px} px"
        )

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        facts = {
            "profile": self.profile.name,
            "tissue": self.tissue,
            "sets": list(self.sets),
            "about": entries()[self.data].title.partition(":")[0],
            "device": self.device_name,
        }
        return {"text/plain": str(self), RUN_MIME: facts}


def begin(profile: str = "auto", *, seed: int = 0, data: str = "monuseg", also: Sequence[str] = ()) -> Run:
    """Resolve a profile for this machine.

    Parameters
    ----------
    profile : {"auto", "smoke", "colab", "paper"}
        ``auto``: what ``HISTOLAB_PROFILE`` names; else ``colab`` on Colab with a GPU; else ``smoke``.
    seed : int
        For everything in the chapter that draws random numbers.
    data : str
        The set that the chapter is about.
    also : sequence of str
        Further sets that it shows where they are found.

    Returns
    -------
    Run
        As the last line of a cell it shows itself, and tells the pipeline what it ran on.

    Raises
    ------
    ValueError
        If the profile or the set is unknown.
    DataError
        If the profile is ``paper`` and the real set is not there or not whole.

    Examples
    --------
    >>> begin("smoke", seed=1)
    profile smoke: synthetic tissue, on the CPU
    training: ... steps of 8 crops of ... px
    >>> begin("quick")
    Traceback (most recent call last):
        ...
    ValueError: unknown profile 'quick'; there are auto, smoke, colab, paper
    """
    settings = _resolve(profile)
    for name in (data, *also):
        choose("data set", name, entries())
    sets: list[str] = []
    if settings.tissue != "synthetic":
        sets += [data] if _is_there(data, required=settings.tissue == "real") else []
        sets += [name for name in also if _is_there(name, required=False)]
    return Run(settings, seed, data, tuple(sets), "cpu" if settings.name == "smoke" else _device())


def _resolve(profile: str) -> Profile:
    name, origin = profile, "profile"
    if profile == "auto":
        name, origin = os.environ.get("HISTOLAB_PROFILE") or _by_place(), "profile in HISTOLAB_PROFILE"
    if name not in PROFILES:
        raise ValueError(f"unknown {origin} {name!r}; there are auto, {', '.join(PROFILES)}")
    return PROFILES[name]


def _by_place() -> str:
    return "colab" if "google.colab" in sys.modules and has_gpu_driver() else "smoke"


def has_gpu_driver() -> bool:
    """Whether this machine has the driver of an NVIDIA GPU; needs no torch to tell."""
    return shutil.which("nvidia-smi") is not None


def _device() -> str:
    if not has_gpu_driver():
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _is_there(data: str, *, required: bool) -> bool:
    """Whether the real set is on this machine; a set that is there but damaged is an error, never passed over."""
    folder, entry = tissue_dir(), entries()[data]
    if folder is None or not (folder / entry.folder).is_dir():
        if required:
            where = "HISTOLAB_DATA is not set" if folder is None else f"{folder} has no folder {entry.folder!r}"
            raise DataError(f"the paper profile needs the real set {data!r}, and {where}; see: histolab data list")
        return False
    for split in entry.splits:
        if split not in entry.optional_splits:
            datasets.load(data, split)
    return True
