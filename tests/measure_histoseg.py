"""Score recorded runs of HistoSeg as its released program does, and in int8.

``python -m tests.measure_histoseg RUN ...``

RUN names a recorded run whose checkpoint is kept, such as ``histoseg/monuseg/base-paper-cpu-seed0``. Writes
``data/facts/histoseg.json``; runs that are not named keep what they have. Nothing is chosen by what comes out.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from histolab_lib.data_dir import data_dir
from histolab_lib.inference import OnnxNetwork, export_onnx, predict, quantise, quantised_share
from histolab_lib.metrics import dice, iou
from histolab_lib.metrics.legacy import histoseg_dice, histoseg_f1, histoseg_mean_iou
from histolab_lib.patches import random_crops, resize
from histolab_lib.pretrained import load_checkpoint
from histolab_lib.record import load_record
from histolab_lib.tile import Tile
from histolab_lib.training.run import run_folder
from histolab_lib.training.tiles import Tiles, read_tiles
from histolab_lib.wanted import Job

#: Side of the windows in int8 and of what calibrates it, and how many; side to which the paper brings tiles of GlaS.
WINDOW_PX, CALIBRATION, GLAS_PX = 256, 32, 400
FILE = data_dir() / "facts" / "histoseg.json"

Maps = list[npt.NDArray[np.float32]]


def measured(name: str) -> dict[str, Any]:
    """Return what one recorded run scores by either way of scoring, on the tiles it was taught, and in int8."""
    record = load_record(data_dir() / "results" / f"{name}.json")
    job = Job(record.key, record.dataset, record.schedule, record.reading, record.variant, record.seed)
    trained = load_checkpoint(run_folder(job))
    tiles = read_tiles(record.dataset, {}, trained.recipe)
    test = [tile for split in tiles.test.values() for tile in split]
    seen = {"as they are": test}
    if record.dataset == "glas":
        seen[f"{GLAS_PX} x {GLAS_PX} px"] = [resize(tile, (GLAS_PX, GLAS_PX)) for tile in test]
    scores = {how: scored(given, [predict(trained.network, one.image) for one in given]) for how, given in seen.items()}
    taught = {how: mean_dice(trained.network, given) for how, given in (("fit", tiles.fit), ("val", tiles.val))}
    return {"scores": scores, "taught": taught, "int8": in_eight_bits(trained.network, tiles, test)}


def mean_dice(network: nn.Module, tiles: Sequence[Tile]) -> float:
    """Return the mean Dice of tiles that the run was fitted on, or steered by."""
    return round(float(np.mean([dice(one.mask, predict(network, one.image) > 0.5) for one in tiles])), 4)


def scored(tiles: Sequence[Tile], maps: Maps) -> dict[str, float]:
    """Return the released program's three scores, and those that bear their names elsewhere."""
    pairs = [(tile.mask, one > 0.5) for tile, one in zip(tiles, maps, strict=True)]
    truth, found = (np.concatenate([one.ravel() for one in side])[None] for side in zip(*pairs, strict=True))
    flat = np.concatenate([one.ravel() for one in maps])[None]
    found_by = {
        "dice_mean": np.mean([dice(*pair) for pair in pairs]),
        "iou_mean": np.mean([iou(*pair) for pair in pairs]),
        "f1_pooled": dice(truth, found),
        "iou_pooled": iou(truth, found),
        "released_dice": histoseg_dice(truth, flat),
        "released_iou": histoseg_mean_iou(truth, flat),
        "wrong_pixels": np.mean(truth != found),
        "exactly_1": np.mean(flat == 1),
        "released_f1": _in_batches(tiles, maps),
    }
    return {name: round(float(value), 4) for name, value in found_by.items()}


def _in_batches(tiles: Sequence[Tile], maps: Maps, batch: int = 32) -> float:
    """F1 pooled over each batch of 32 images, whatever their sizes, and averaged."""
    found = []
    for start in range(0, len(tiles), batch):
        part = slice(start, start + batch)
        truth = np.concatenate([one.mask.ravel() for one in tiles[part]])[None]
        found.append(histoseg_f1(truth, np.concatenate([one.ravel() for one in maps[part]])[None]))
    return float(np.mean(found))


def in_eight_bits(network: nn.Module, tiles: Tiles, test: Sequence[Tile]) -> dict[str, Any]:
    """Return size, quantised convolutions, Dice and seconds a tile, as float32 and as int8, both by onnxruntime."""
    crops = random_crops(list(tiles.fit), CALIBRATION, WINDOW_PX, np.random.default_rng(0))
    with tempfile.TemporaryDirectory() as folder:
        files = {kind: Path(folder) / f"{kind}.onnx" for kind in ("float32", "int8")}
        export_onnx(network, files["float32"], size_px=WINDOW_PX)
        quantise(files["float32"], np.moveaxis(crops.images, -1, 1).astype(np.float32) / 255, files["int8"])
        return {kind: _by_onnx(path, test) for kind, path in files.items()}


def _by_onnx(path: Path, test: Sequence[Tile]) -> dict[str, Any]:
    network = OnnxNetwork(path)
    start = process_time()
    maps = [predict(network, tile.image, window_px=WINDOW_PX, device="cpu") for tile in test]
    seconds = (process_time() - start) / len(test)
    share, scores = quantised_share(path), scored(test, maps)
    return {
        "mib": round(path.stat().st_size / 2**20, 2),
        "convolutions": share.total,
        "quantised": share.quantised,
        "seconds_a_tile": round(seconds, 2),
        "dice_mean": scores["dice_mean"],
        "f1_pooled": scores["f1_pooled"],
    }


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
