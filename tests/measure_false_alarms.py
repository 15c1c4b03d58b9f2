"""Measure how often rules accuse innocent papers: ``python -m tests.measure_false_alarms [RULE ...]``.

Writes ``data/facts/false_alarms.json``; with names, those rules alone are measured again. Every paper has a seed of its
own, so that the same papers come again. Takes about five minutes on one core.
"""

import json
import sys

from scipy.stats import beta

from histolab_lib.data_dir import data_dir
from tests.innocent_papers import MODELS, count

__all__ = ["at_most", "main", "measured"]

#: Innocent papers for each rule, and papers of each other meaning or with the planted fault.
PAPERS, OTHERS = 2000, 500
FILE = data_dir() / "facts" / "false_alarms.json"
_BOUND = "upper end of the exact one-sided 95 % interval of a share (Clopper and Pearson 1934)"


def at_most(accused, papers):
    """Return the largest share with which so few of so many come about in one of twenty samples."""
    return 1.0 if accused == papers else float(beta.ppf(0.95, accused + 1, papers - accused))


def _counted(rule, draw, name, papers):
    told = count(rule, draw, name, range(papers))
    return told | {"at_most": float(f"{at_most(told['accused'], papers):.2g}")}


def measured(rule, papers=PAPERS, others=OTHERS):
    """Return the entry of a rule, as the file has it."""
    model = MODELS[rule]
    return {
        "model": model.says,
        "innocent": _counted(rule, model.plain, "innocent", papers),
        "accused_when": {name: _counted(rule, draw, name, others) for name, draw in model.otherwise.items()},
        "fault": model.fault,
        "guilty": _counted(rule, model.guilty, "guilty", others),
    }


def main(rules):
    """Measure the rules, or all, and write the file."""
    kept = json.loads(FILE.read_text(encoding="utf-8"))["rules"] if rules else {}
    for rule in rules or MODELS:
        kept[rule] = measured(rule)
        print(rule, kept[rule]["innocent"])
    whole = {
        "written_by": "python -m tests.measure_false_alarms",
        "at_most": _BOUND,
        "rules": {rule: kept[rule] for rule in MODELS if rule in kept},
    }
    FILE.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
