"""What runs cost: weights, work, time and memory."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from histolab_lib.data_dir import data_dir
from histolab_lib.record import Record
from histolab_lib.results import NOTHING, run_label

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["cost_card"]

_COLUMNS = (
    "run", "set", "schedule", "million weights", "billion multiply-adds, 256 px", "minutes", "memory in GiB", "device",
)  # fmt: skip


def cost_card(records: Iterable[Record]) -> "pd.DataFrame":
    """Return what runs cost, a line for each.

    Parameters
    ----------
    records : iterable of Record
        In the order of the lines.

    Returns
    -------
    DataFrame
        Columns: run; set; schedule, with the seed where that is not 0; million weights and billion multiply-adds of
        one image of 256 px, as counted in ``data/facts/parameters.json``; minutes (reading, training and scoring),
        memory in GiB, device. What is not known, as the weights of what has none, is ``-``.

    Notes
    -----
    The size is that of the counted variant which shares most options with the network of the run's own recipe, so that
    a run by the released code has the released network's, and one with another loss that of the network as it is.
    """
    import pandas as pd

    return pd.DataFrame([_bill(one) for one in records], columns=list(_COLUMNS))


def _bill(one: Record) -> tuple[str, ...]:
    size, memory = _size(one), one.peak_memory_mib
    return (
        run_label(one),
        one.dataset,
        one.schedule + (f", seed {one.seed}" if one.seed else ""),
        f"{size['parameters'] / 1e6:.2f}" if size else NOTHING,
        f"{size['multiply_adds'] / 1e9:.1f}" if size else NOTHING,
        f"{one.wall_s / 60:.0f}",
        NOTHING if memory is None else f"{memory / 1024:.1f}",
        one.device,
    )


def _size(one: Record) -> Mapping[str, Any] | None:
    """The counts of the variant whose options are all the run's, and of these the one with most of them."""
    own = dict(one.recipe.get("network", {}))
    if one.reading == "code":
        own["reading"] = "code"
    fitting = [
        size
        for size in _counted().get(one.key, {"variants": {}})["variants"].values()
        if all(own.get(name) == value for name, value in size["options"].items())
    ]
    return max(fitting, key=lambda size: len(size["options"]), default=None)


@cache
def _counted() -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads((data_dir() / "facts" / "parameters.json").read_text(encoding="utf-8"))
    return found["networks"]
