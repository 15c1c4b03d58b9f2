"""How long a run is and on what: a recipe says what its authors did, a schedule what a machine has time for.

A schedule counts crops, never seconds: the same schedule gives the same run on a faster machine.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any

from histolab_lib.choices import choose
from histolab_lib.recipe import Recipe
from histolab_lib.tile import Tile

__all__ = ["SCHEDULES", "Plan", "Schedule"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a schedule makes of a recipe for these tiles.

    Attributes
    ----------
    steps, batch_size, crop_px : int
        Batches, crops in each, their side in pixels.
    every : int
        Steps between two validations, which is also where a run that was killed is taken up.
    patches : str
        As in the recipe, or ``"random"`` where the schedule's crops are smaller than the scheme's patches.
    precision : str
        ``"32-true"`` or ``"bf16-mixed"``.
    threads : int or None
        Of the processor; None: as they are.
    workers : int
        Processes that make batches.
    channels_last, compiled : bool
        Memory format; whether training steps go through ``torch.compile``.
    window_px : int or None
        Side of the windows in which tiles are predicted; None: as the recipe says.
    patience : str
        ``"steps"``: a recipe's patience is shortened as the run is. ``"validations"``: an epoch of it is a validation
        where there are fewer of these, so that a short run has as many chances to improve as the recipe gives.
    """

    steps: int
    batch_size: int
    crop_px: int
    every: int
    patches: str = "random"
    precision: str = "32-true"
    threads: int | None = None
    workers: int = 0
    channels_last: bool = True
    compiled: bool = False
    window_px: int | None = None
    patience: str = "steps"

    @property
    def chance(self) -> int:
        """The least that an epoch of patience comes to, in steps, as `rates.learning_rate` takes it."""
        return self.every if choose("patience", self.patience, ("steps", "validations")) == "validations" else 0

    def windows(self) -> dict[str, int]:
        """Return the options of `inference.predict` that the plan decides: windows overlap by a quarter."""
        return {} if self.window_px is None else {"window_px": self.window_px, "overlap_px": self.window_px // 4}

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON knows."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long, and on what; None leaves what the recipe says.

    Attributes
    ----------
    name : str
    crops : int or None
        Crops to learn from, whatever the batch; None: as many as the recipe's epochs or steps come to.
    crop_px, batch_size : int or None
        Largest side of a crop, and crops in a batch.
    validations : int
        How often the validation tiles are scored.
    precision, threads, workers, channels_last, compiled, patience
        As in `Plan`. Where a device computes bfloat16 slowly, `fit` takes float32 in its place.
    window_px : int or None
        As in `Plan`. Used where crops are smaller than the recipe's, which has no windows of its own: a network whose
        deepest maps were a few pixels of zero padding all around in training is a stranger to whole tiles.
    by_network : mapping of str to mapping
        Fields that are different for a network, by its key, or by key and reading: ``"haru_net-code"``.
    """

    name: str
    crops: int | None
    crop_px: int | None = None
    batch_size: int | None = None
    validations: int = 10
    precision: str = "32-true"
    threads: int | None = None
    workers: int = 0
    channels_last: bool = True
    compiled: bool = False
    window_px: int | None = None
    patience: str = "steps"
    by_network: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def for_network(self, key: str, reading: str = "") -> "Schedule":
        """Return the schedule with what `by_network` changes for this key, or for this key in this reading."""
        ours = self.by_network.get(f"{key}-{reading}", self.by_network.get(key, {}))
        return replace(self, by_network={}, **ours)

    def plan(self, recipe: Recipe, tiles: Sequence[Tile]) -> Plan:
        """Return steps, crops and batches for a recipe on these training tiles.

        Examples
        --------
        >>> import numpy as np
        >>> from histolab_lib.recipe import _demo
        >>> tile = Tile("demo", np.zeros((256, 128, 3), np.uint8), np.zeros((256, 128), np.int32))
        >>> SCHEDULES["gpu"].plan(_demo(), [tile]).steps  # the recipe's own
        100
        >>> plan = SCHEDULES["smoke"].plan(_demo(), [tile])
        >>> plan.steps, plan.batch_size, plan.crop_px
        (40, 4, 64)
        """
        ours = self.for_network(recipe.key, recipe.reading)
        batch = ours.batch_size or recipe.batch_size
        crop = min(ours.crop_px or recipe.crop_px, recipe.crop_px)
        patches = recipe.patches if crop == recipe.crop_px else "random"
        if ours.crops is not None:
            steps = max(1, ours.crops // batch)
        elif recipe.steps is not None:
            steps = max(1, recipe.steps * recipe.batch_size // batch)
        else:
            shapes = [recipe.resize_px or tile.shape for tile in tiles]
            steps = (recipe.epochs or 1) * _steps_in_epoch(patches, crop, shapes, batch)
        return Plan(
            steps=steps,
            batch_size=batch,
            crop_px=crop,
            every=max(1, math.ceil(steps / ours.validations)),
            patches=patches,
            precision=ours.precision,
            threads=ours.threads,
            workers=ours.workers,
            channels_last=ours.channels_last,
            compiled=ours.compiled,
            window_px=ours.window_px if crop < recipe.crop_px and recipe.window_px is None else None,
            patience=ours.patience,
        )


def _steps_in_epoch(scheme: str, crop_px: int, shapes: Sequence[tuple[int, int]], batch_size: int) -> int:
    """Batches in which each patch is seen once or, where crops are random, as many pixels as the tiles have."""
    from histolab_lib.patches import SCHEMES

    if scheme == "random":
        patches = max(1, round(sum(height * width for height, width in shapes) / crop_px**2))
    else:
        patches = sum(len(SCHEMES[scheme].windows(shape)) for shape in shapes)
    return max(1, math.ceil(patches / batch_size))


# What two cores do in the minutes that `SCHEDULES` names, as measured in crops a second: the papers' networks in
# float32 (bfloat16, where there is, takes two thirds of the time), baselines in bfloat16 with MobileNetV2's encoder.
# Where a crop is smaller than the recipe's, the recipe's would leave a few dozen steps.
_CPU: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "histoseg": {"crops": 5_000, "validations": 5},  # at an eighth of the size throughout, four crops a second
        "gland_linknet": {"crops": 2_176, "validations": 4},  # of 288 x 416; each of 272 eight times
        "msal_net": {"crops": 4_000, "crop_px": 256},
        # Eight crops a second. A tenth of so short a run would hold two validations; with as little patience as that,
        # runs ended after a quarter and after half of their steps, still learning.
        "dan_nucnet": {"crops": 6_000, "crop_px": 128, "validations": 25, "patience": "validations"},
        # A validation tile of 1000 px takes as long as sixty crops of 128, so few validations. Windows: two held-out
        # tiles had a Dice of 0.77 and 0.77 in windows of 256 px, 0.77 and 0.79 in 128, 0.76 and 0.68 as a whole.
        "haru_net": {"crops": 4_000, "crop_px": 128, "window_px": 256, "validations": 4},
        # The released code shrinks what it sees to 0.3 of its sides: 154 px of 512.
        "haru_net-code": {"crops": 3_600, "crop_px": 512, "validations": 4},
        "small_unet": {"crops": 7_200},
        "unet": {"crops": 6_000},
        "linknet": {"crops": 7_500},
        "deeplabv3plus": {"crops": 4_500},
        "ce_net": {"crops": 6_000},
        # Six times as many multiplications as U-Net on ResNet-34: smaller crops, and the windows that go with them.
        "attention_unet": {"crops": 1_800, "crop_px": 128, "window_px": 256, "validations": 4},
        "nuclei_seg_net": {"crops": 2_400, "crop_px": 128, "window_px": 256, "validations": 4},
        "unetpp": {"crops": 2_600},
    }
)
# Twenty minutes, where the others have six.
_PAPERS = ("histoseg", "msal_net", "dan_nucnet", "haru_net", "haru_net-code")
_CPU_LONG: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {key: {**fields, "crops": (4 if key in _PAPERS else 8) * fields["crops"]} for key, fields in _CPU.items()}
)

_GPU: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        # Whole tiles of 1000 px would be three or four batches an epoch; crops hold as many pixels a batch and a run.
        "haru_net-paper": {"crop_px": 512, "batch_size": 16},
        # As many crops as the text has, in a quarter of the steps: its batch is not printed, and four leave a GPU idle.
        "gland_linknet": {"batch_size": 16},
    }
)

#: By name. ``smoke``: seconds, for tests. ``cpu``: two cores, six minutes for baselines, twenty for the papers'
#: networks. ``cpu_long``: about an hour. ``gpu``: the recipe's own length.
SCHEDULES: Mapping[str, Schedule] = MappingProxyType(
    {
        one.name: one
        for one in (
            Schedule(name="smoke", crops=160, crop_px=64, batch_size=4, validations=2, threads=1),
            Schedule(name="cpu", crops=4_000, precision="bf16-mixed", threads=2, by_network=_CPU),
            Schedule(
                name="cpu_long",
                crops=42_576,  # 5,322 steps of 8: the first run of the strong U-Net
                precision="bf16-mixed",
                threads=2,
                validations=20,
                by_network=_CPU_LONG,
            ),
            Schedule(name="gpu", crops=None, precision="bf16-mixed", validations=50, by_network=_GPU),
        )
    }
)
