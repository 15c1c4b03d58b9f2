"""Score recorded runs, and the floor of nuclei, on real test tiles made worse step by step.

``python -m tests.measure_wild RUN ... [--only CORRUPTION ...] [--tiles N]``

RUN names a record on a set of nuclei: of a run whose checkpoint is kept, such as
``unet/kumar/mobilenetv2__imagenet-clean-cpu-seed0``, or of the floor,
``floor_hematoxylin/kumar/base-clean-none-seed0``. Writes ``data/facts/wild.json`` after every corruption. What is not
named keeps what it has, and what has been measured is not measured again unless ``--again`` is given, so that a command
that was interrupted can simply be repeated. Nothing is chosen by what comes out.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from histolab_lib import datasets
from histolab_lib.corruptions import CORRUPTIONS, Corruption, curves, means
from histolab_lib.corruptions.curves import Segmenter
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.datasets.registry import modules
from histolab_lib.floors import HEMATOXYLIN, rule_for
from histolab_lib.record import Record, load_record
from histolab_lib.tile import Tile
from histolab_lib.wanted import Job

FILE = data_dir() / "facts" / "wild.json"
SCORES = ("dice", "aji", "pq")


def segmenter(record: Record) -> Segmenter:
    """Return what the record is about, ready to be asked: a floor, or a network whose checkpoint is kept."""
    if record.key == HEMATOXYLIN:
        return rule_for(record.dataset, record.variant)[0].segment
    from histolab_lib.inference import segment
    from histolab_lib.pretrained import load_checkpoint
    from histolab_lib.training.run import run_folder

    trained = load_checkpoint(kept(run_folder(job_of(record))))
    how: dict[str, Any] = {"precision": "bfloat16" if record.settings["precision"] == "bf16-mixed" else "float32"}
    if (side := record.settings.get("window_px")) is not None:
        how |= {"window_px": side, "overlap_px": side // 4}  # as the run did it: training.schedules.Plan.windows
    return lambda image: segment(trained.network, image, trained.recipe, **how)


def remembering(segment: Segmenter, tiles: Sequence[Tile]) -> Segmenter:
    """Return a segmenter that looks at each tile once as it is, and again only where it was made worse."""
    kept: dict[int, Any] = {}
    own = {id(tile.image) for tile in tiles}

    def look(image: Any) -> Any:
        if id(image) not in own:
            return segment(image)
        if id(image) not in kept:
            kept[id(image)] = segment(image)
        return kept[id(image)]

    return look


def kept(folder: Path) -> Path:
    """Return the folder of a run, or the only one that differs from it by nothing but how its schedule was written.

    Whether its recipe is still the same, `load_checkpoint` checks; whether it is the run of the record, a test by
    scores.
    """
    if folder.is_dir():
        return folder
    name = folder.name.rpartition("-")[0]
    others = [one for one in sorted(folder.parent.glob(f"{name}-*")) if one.name.rpartition("-")[0] == name]
    if len(others) != 1:
        found = ", ".join(one.name for one in others) or "none"
        raise DataError(f"{folder}: no such run; of other schedules there must be just one, there are: {found}")
    return others[0]


def job_of(record: Record) -> Job:
    """Return the job that a record is of."""
    if record.options:
        raise ValueError(f"{record.name}: runs with options of the set are not measured, got {dict(record.options)}")
    return Job(record.key, record.dataset, record.schedule, record.reading, record.variant, record.seed)


def measured(systems: Mapping[str, Segmenter], tiles: Iterable[Tile], one: Corruption) -> dict[str, dict[str, Any]]:
    """Return mean scores of each system at each step of one corruption."""
    rows = curves(systems, tiles, [one])
    found = {score: means(rows, score)[one.name] for score in SCORES}
    return {
        name: {
            "unit": one.unit,
            "steps": list(one.steps),
            **{score: [round(found[score][name][step], 4) for step in one.steps] for score in SCORES},
        }
        for name in systems
    }


def organs(record: Record) -> dict[str, dict[str, Any]]:
    """Return mean scores by organ, and of all tiles of organs that were trained on and of all others; from the record.

    An organ counts as seen where the training split of the set has it: for a floor too, which learns nothing, so that
    its difference tells how much harder the tiles of the other organs are. Empty for a set that tells no organs.
    """
    module = modules()[record.dataset]
    if "organ" not in getattr(module, "GROUPS", ()):
        return {}
    taught = set(module.groups("train", by="organ").values())
    rows = [row for split in record.images.values() for row in split]
    organ = {name: one for split in record.images for name, one in module.groups(split, by="organ").items()}
    kinds = {one: [row for row in rows if organ[row["name"]] == one] for one in sorted(set(organ.values()))}
    sides = {seen: [row for row in rows if (organ[row["name"]] in taught) == seen] for seen in (True, False)}
    return {
        "organs": {one: {"seen": one in taught, **_means(of)} for one, of in kinds.items()},
        "seen": _means(sides[True]),
        "unseen": _means(sides[False]),
    }


def _means(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    scores = {score: round(float(np.mean([row[score] for row in rows])), 4) for score in SCORES}
    return {"tiles": len(rows), **scores}


def test_tiles(record: Record, count: int | None) -> list[Tile]:
    """Return the test tiles of a record, or the first few."""
    tiles = [tile for split in record.images for tile in datasets.load(record.dataset, split)]
    return tiles[:count]


def main(
    arguments: Sequence[str] | None = None,
    *,
    file: Path = FILE,
    segmenter_of: Callable[[Record], Segmenter] = segmenter,
    tiles_of: Callable[[Record, int | None], list[Tile]] = test_tiles,
) -> None:
    """Measure what is named, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--only", nargs="+", metavar="CORRUPTION", choices=list(CORRUPTIONS), default=list(CORRUPTIONS))
    parser.add_argument("--tiles", type=int, metavar="N", help="only the first N tiles, as a trial; nothing is written")
    parser.add_argument("--again", action="store_true", help="measure again what has been measured")
    options = parser.parse_args(arguments)
    for name in options.runs:
        record = load_record(data_dir() / "results" / f"{name}.json")
        kept = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        entry = kept.setdefault(name, {"tiles": 0, **organs(record), "curves": {}})
        todo = [one for one in options.only if options.again or one not in entry["curves"]]
        if not todo:
            print(f"{name}: measured already", flush=True)
            continue
        tiles = tiles_of(record, options.tiles)
        segment = remembering(segmenter_of(record), tiles)
        entry["tiles"] = len(tiles)
        for one in todo:
            start = process_time()
            entry["curves"][one] = measured({name: segment}, tiles, CORRUPTIONS[one])[name]
            seconds = (process_time() - start) / len(tiles) / len(CORRUPTIONS[one].steps)
            print(f"{name} {one}: {seconds:.2f} s of the processor a tile and step", entry["curves"][one], flush=True)
            if options.tiles is None:
                file.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
