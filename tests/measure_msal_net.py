"""Score recorded runs on MoNuSeg by patches, as MSAL-Net's paper does: the four corners of each tile, 512 px each.

``python -m tests.measure_msal_net RUN ...``

RUN names a recorded run whose predictions are kept, such as ``msal_net/monuseg/base-paper-cpu-seed0``. With the
checkpoint of a run of MSAL-Net's own, tiles are also predicted in windows of other sizes, as dilated convolutions meet
more padding in smaller ones. Writes ``data/facts/msal_net.json``; runs that are not named keep what they have. Nothing
is chosen by what comes out.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from histolab_lib import datasets
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.inference import predict
from histolab_lib.metrics import dice, iou, precision_recall_f1
from histolab_lib.papers import recipe
from histolab_lib.patches import SCHEMES
from histolab_lib.pretrained import load_checkpoint
from histolab_lib.record import Record, load_prediction, load_record
from histolab_lib.training.run import run_folder
from histolab_lib.wanted import Job

WINDOWS_PX = (256, 512)
FILE = data_dir() / "facts" / "msal_net.json"

Pair = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]


def measured(name: str) -> dict[str, Any]:
    """Return the mean scores of one recorded run over patches and over tiles."""
    record = load_record(data_dir() / "results" / f"{name}.json")
    whole = []
    for tile in datasets.load(record.dataset, "test"):
        found = load_prediction(name, "test", tile.name)
        if found is None:
            raise DataError(f"no prediction of {tile.name} by {name} is kept; run it again, which keeps them")
        whole.append((tile.mask, found > 0))
    told = {"patches": scored(patches(whole)), "tiles": scored(whole)}
    folder = run_folder(Job(record.key, record.dataset, record.schedule, record.reading, record.variant, record.seed))
    if record.key == "msal_net" and folder.is_dir():
        told["windows"] = by_window(record, load_checkpoint(folder).network)
    return told


def by_window(record: Record, network: nn.Module) -> dict[str, Any]:
    """Return the same means over tiles, predicted in windows of each size; that of the recipe is among them."""
    used = recipe(record.key, reading=record.reading, variant=record.variant)
    tiles = datasets.load(record.dataset, "test")

    def masks(window_px: int) -> list[Pair]:
        how = {"window_px": window_px, "overlap_px": used.overlap_px}
        return [(tile.mask, predict(network, tile.image, **how) > 0.5) for tile in tiles]

    return {f"{px} px": scored(masks(px)) for px in WINDOWS_PX}


def patches(pairs: Iterable[Pair]) -> list[Pair]:
    """Cut truth and prediction of each tile into the patches of the paper."""
    cut = SCHEMES["msal_net"].windows
    return [(true[w.slices], pred[w.slices]) for true, pred in pairs for w in cut(true.shape)]


def scored(pairs: Sequence[Pair]) -> dict[str, float]:
    """Return means of the four scores that the paper prints, and of how many images."""
    each = [precision_recall_f1(*pair) for pair in pairs]
    means = {
        "dice": np.mean([dice(*pair) for pair in pairs]),
        "iou": np.mean([iou(*pair) for pair in pairs]),
        "precision": np.mean([one.precision for one in each]),
        "recall": np.mean([one.recall for one in each]),
    }
    return {"images": len(pairs), **{name: round(float(value), 4) for name, value in means.items()}}


def main(arguments: Sequence[str] | None = None, measure: Callable[[str], dict[str, Any]] = measured) -> None:
    """Measure the runs that are named, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    kept = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    for name in parser.parse_args(arguments).runs:
        kept[name] = measure(name)
        print(name, json.dumps(kept[name]), flush=True)
    FILE.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
