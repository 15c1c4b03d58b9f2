"""Average scores of recorded runs as DAN-NucNet's released test program does, and as usual, by tile and by patch.

``python -m tests.measure_dan_nucnet RUN ...``

RUN names a recorded run on Kumar's tiles whose predictions are kept, such as
``dan_nucnet/kumar/base-paper-cpu-seed0``. Tiles are cut into the paper's patches of 256 px; those without a label are
left out, as its authors did. Writes ``data/facts/dan_nucnet.json``; runs that are not named keep what they have.
Nothing is chosen by what comes out.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from histolab_lib import datasets
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.metrics import dice, iou, precision_recall_f1
from histolab_lib.metrics.legacy.dan_nucnet import dan_nucnet_averages, dan_nucnet_jaccard
from histolab_lib.patches import SCHEMES
from histolab_lib.record import load_prediction, load_record

FILE = data_dir() / "facts" / "dan_nucnet.json"

Pair = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]


def measured(name: str) -> dict[str, Any]:
    """Return the means of one recorded run, in percent, by each way to average and of tiles and patches."""
    record = load_record(data_dir() / "results" / f"{name}.json")
    tiles = []
    for split in record.images:
        for tile in datasets.load(record.dataset, split):
            found = load_prediction(name, split, tile.name)
            if found is None:
                raise DataError(f"no prediction of {tile.name} by {name} is kept; run it again, which keeps them")
            tiles.append((tile.mask, found > 0))
    return {"tiles": averaged(tiles), "patches": averaged(patches(tiles))}


def patches(pairs: Iterable[Pair]) -> list[Pair]:
    """Cut truth and prediction of each tile into the paper's patches, and keep those that have a label."""
    cut = SCHEMES["dan_nucnet"].windows
    return [(true[w.slices], pred[w.slices]) for true, pred in pairs for w in cut(true.shape) if true[w.slices].any()]


def averaged(pairs: Sequence[Pair]) -> dict[str, dict[str, float]]:
    """Return means in percent: as usual, with the 100 pixels of the program's Jaccard index alone, and as released."""
    usual = means(pairs)
    index = float(np.mean([dan_nucnet_jaccard(*pair) for pair in pairs]))
    theirs = dan_nucnet_averages([true for true, _ in pairs], [pred for _, pred in pairs])
    return {
        "as usual": usual,
        "100 px added, else as usual": usual | {"iou": round(index, 2)},
        "as released": {
            "f1": round(theirs.f1, 2),
            "iou": round(theirs.jaccard, 2),
            "precision": round(theirs.precision, 2),
            "recall": round(theirs.recall, 2),
            "images": theirs.images,
        },
    }


def means(pairs: Sequence[Pair]) -> dict[str, float]:
    """Return means over images, each of which has a label, and how many there are."""
    each = [(dice(*pair), iou(*pair), *precision_recall_f1(*pair)[:2]) for pair in pairs]
    told = dict(zip(("f1", "iou", "precision", "recall"), 100 * np.mean(each, axis=0), strict=True))
    return {name: round(float(value), 2) for name, value in told.items()} | {"images": len(pairs)}


def main(arguments: Sequence[str] | None = None, measure: Callable[[str], dict[str, Any]] = measured) -> None:
    """Measure the runs that are named, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    kept = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    for name in parser.parse_args(arguments).runs:
        kept[name] = measure(name)
        print(name, json.dumps(kept[name]), flush=True)
    FILE.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
