"""A second opinion on printed scores of pixels: `mlscorecheck`, asked row by row, beside the rules of the audit.

``python -m tests.second_opinion`` asks again and writes ``data/facts/second_opinion.json``.

The package knows whether some numbers of true positive and true negative pixels give all scores of a row, for one test
set, that is for scores pooled over all pixels. No paper says that it pools; each row is asked as if it did, and our own
rules are asked under the same hypothesis. Of means over images the package can test accuracy, sensitivity and
specificity alone, which no table here prints together.

It tries every number of true positives, which takes minutes a row for millions of pixels, so it is asked about a test
set of `ASKED` foreground pixels with the same share of them. Rounding true positives and false positives of the real
set, scaled down, to whole pixels moves recall, Dice and IoU by at most 1 / (`ASKED` - 1), and precision by at most
1 / (R `ASKED` - 1) with recall R; each printed interval is widened by that. So a row that it calls inconsistent is so
on the real pixels, and one that it calls consistent is so within that margin.
"""

import importlib.metadata
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import Any

from histolab_lib.audit.finding import SEVERITIES
from histolab_lib.audit.intervals import share
from histolab_lib.audit.rules import RULES
from histolab_lib.claims import Claim, load_claims
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.datasets import facts

__all__ = ["ASKED", "FILE", "NAMES", "asked", "main", "opinion", "ours", "pixels", "rows"]

FILE = data_dir() / "facts" / "second_opinion.json"
#: Foreground pixels of the test set that the package is asked about.
ASKED = 20_000
#: What the package calls our scores.
NAMES = {"precision": "ppv", "recall": "sens", "dice": "f1p", "f1": "f1p", "iou": "ji"}
_TOGETHER = {("glas", "test"): ("testA", "testB")}
_RULES = (
    "jaccard-below-dice", "jaccard-above-jensen", "jaccard-pooled", "f1-of-precision-and-recall",
    "jaccard-of-precision-and-recall",
)  # fmt: skip
_MISSING = "mlscorecheck is not installed here: pip install mlscorecheck (1.0.3 wrote the file that is kept)"


def pixels(dataset: str, split: str) -> tuple[int, int] | None:
    """Foreground and background pixels of a split, by its facts; None where they are not known."""
    try:
        splits = facts.read(dataset)["splits"]
    except (DataError, KeyError):
        return None
    parts = [splits.get(name) for name in _TOGETHER.get((dataset, split), (split,))]
    if None in parts:
        return None
    fore = every = 0
    for part in parts:
        sizes = {tuple(map(int, size.split("x"))): images for size, images in part["sizes_px"].items()}
        here = sum(height * width * images for (height, width), images in sizes.items())
        every += here
        fore += round(part["foreground_share"] * here)
    return fore, every - fore


def rows(claims: Sequence[Claim]) -> list[tuple[Claim, ...]]:
    """Rows with two scores of pixels or more on a set of known pixels; one with Dice and F1 gives a row with each."""
    printed: dict[tuple[str, ...], dict[str, Claim]] = defaultdict(dict)
    for one in claims:
        if one.metric in NAMES and share(one) and not (one.group and one.averaging == "unstated"):
            printed[one.paper, one.location, one.row, one.dataset, one.split][one.metric] = one
    found = []
    for (*_, dataset, split), scores in printed.items():
        if pixels(dataset, split):
            for left_out in ("f1", "dice") if {"f1", "dice"} <= set(scores) else ("",):
                row = tuple(one for metric, one in scores.items() if metric != left_out)
                found += [row] if len(row) > 1 else []
    return found


def asked(row: Sequence[Claim]) -> dict[str, Any]:
    """What the package is asked about a row: pixels, scores, and how far each may be off."""
    fore, back = pixels(row[0].dataset, row[0].split) or (0, 0)
    printed = {one.metric: share(one) for one in row}
    recall = min(Fraction(1), printed["recall"].low) if "recall" in printed else Fraction(1)
    scores, eps = {}, {}
    for metric, interval in printed.items():
        slack = 1 / (ASKED * (recall if metric == "precision" else 1) - 1)
        scores[NAMES[metric]] = float((interval.low + interval.high) / 2)
        eps[NAMES[metric]] = float(round((interval.high - interval.low) / 2 + slack, 9))
    return {"p": ASKED, "n": ceil(ASKED * Fraction(back, fore)), "scores": scores, "eps": eps}


def opinion(question: dict[str, Any]) -> str:
    """What the package says of it."""
    from mlscorecheck.check.binary import check_1_testset_no_kfold
    from mlscorecheck.core import logger

    logger.setLevel("ERROR")
    testset = {"p": question["p"], "n": question["n"]}
    found = check_1_testset_no_kfold(testset=testset, scores=question["scores"], eps=question["eps"])
    return "inconsistent" if found["inconsistency"] else "consistent"


def ours(row: Sequence[Claim], claims: Sequence[Claim]) -> str:
    """The gravest that our rules on these scores say of a row, as it is averaged; "not tested" where none applies."""
    keys = {one.key for one in row}
    said = {one.severity for name in _RULES for one in RULES[name].check(claims) if set(one.rows) <= keys}
    return min(said, key=SEVERITIES.index, default="not tested")


def _entry(row: Sequence[Claim], claims: Sequence[Claim]) -> dict[str, Any]:
    fore, back = pixels(row[0].dataset, row[0].split) or (0, 0)
    pooled = [replace(one, averaging="pooled") for one in row]
    return {
        "claims": [one.key for one in row],
        "p": fore,
        "n": back,
        "asked": asked(row),
        "ours": ours(row, [one for one in claims if one.paper == row[0].paper and one.location == row[0].location]),
        "ours_if_pooled": "consistent" if ours(pooled, pooled) == "fine" else "inconsistent",
    }


def main() -> None:
    """Ask about every row, and write what it says."""
    try:
        version = importlib.metadata.version("mlscorecheck")
    except importlib.metadata.PackageNotFoundError:
        sys.exit(_MISSING)
    claims = load_claims()
    kept = []
    for row in rows(claims):
        entry = _entry(row, claims)
        kept.append(entry | {"theirs_if_pooled": opinion(entry["asked"])})
    told = {"package": "mlscorecheck", "version": version, "function": "check.binary.check_1_testset_no_kfold"}
    FILE.write_text(json.dumps(told | {"rows": kept}, indent=1) + "\n", encoding="utf-8")
    agreeing = sum(one["ours_if_pooled"] == one["theirs_if_pooled"] for one in kept)
    print(f"{len(kept)} rows, the same verdict on {agreeing}: {FILE}")


if __name__ == "__main__":
    main()
