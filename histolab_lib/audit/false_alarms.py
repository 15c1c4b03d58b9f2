"""How often a rule that can say ``unlikely`` accuses innocent papers: measured, with the model that was measured."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from histolab_lib.data_dir import DataError, data_dir

__all__ = ["Counted", "FalseAlarms", "false_alarms", "load_false_alarms"]


@dataclass(frozen=True)
class Counted:
    """In how many made-up papers a rule says ``unlikely``.

    Attributes
    ----------
    papers, accused : int
    checks : int
        Made in all of them.
    graver : int
        Papers of which it says more than that.
    at_most : float
        Upper end of the exact one-sided 95 % interval of the share of such papers that are accused (Clopper and
        Pearson 1934); of none in n papers about 3 / n.

    Examples
    --------
    >>> Counted(2000, 2000, 0, 0, 0.0015).words
    '0 of 2,000, at most 0.15 %'
    >>> Counted(500, 500, 473, 0, 0.962).words
    '473 of 500, 94.6 %'
    """

    papers: int
    checks: int
    accused: int
    graver: int
    at_most: float

    @property
    def words(self) -> str:
        """The share in words: of rare ones the bound, else the share itself."""
        share = self.accused / self.papers
        told = f"at most {100 * self.at_most:.2g} %" if share < 0.2 else f"{100 * share:.3g} %"
        return f"{self.accused:,} of {self.papers:,}, {told}"


@dataclass(frozen=True)
class FalseAlarms:
    """What was measured of a rule.

    Attributes
    ----------
    model : str
        What the innocent papers are like, in one sentence.
    innocent : Counted
        Papers whose words mean what the rule takes them for.
    accused_when : mapping of str to Counted
        Other meanings of the words, each with innocent papers of that kind.
    fault : str
        What was planted in the guilty papers.
    guilty : Counted
        Papers with that fault.
    """

    model: str
    innocent: Counted
    accused_when: Mapping[str, Counted]
    fault: str
    guilty: Counted


def false_alarms(rule: str) -> FalseAlarms | None:
    """Return what was measured of a rule; None for one that never says ``unlikely``.

    Examples
    --------
    >>> false_alarms("parts-and-whole").innocent.accused
    0
    >>> false_alarms("jaccard-below-dice") is None
    True
    """
    return _measured().get(rule)


@cache
def _measured() -> Mapping[str, FalseAlarms]:
    return load_false_alarms()


def load_false_alarms(path: Path | None = None) -> dict[str, FalseAlarms]:
    """Read ``data/facts/false_alarms.json``, or another such file, by the name of the rule.

    Raises
    ------
    DataError
        If the file is missing, is no JSON, or an entry lacks a field or has an unknown one.
    """
    path = path or data_dir() / "facts" / "false_alarms.json"
    try:
        rules = json.loads(path.read_text(encoding="utf-8"))["rules"]
        return {name: _one(told) for name, told in rules.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: cannot be read as measured false alarms ({error!r})") from error


def _one(told: Mapping[str, Any]) -> FalseAlarms:
    return FalseAlarms(
        model=told["model"],
        innocent=Counted(**told["innocent"]),
        accused_when={meaning: Counted(**counted) for meaning, counted in told["accused_when"].items()},
        fault=told["fault"],
        guilty=Counted(**told["guilty"]),
    )
