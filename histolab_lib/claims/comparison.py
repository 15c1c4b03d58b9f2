"""Who is better than whom, as the row of a gain or of an ordering says it."""

import re
from dataclasses import dataclass

from histolab_lib.claims.vocabulary import METRICS

__all__ = ["Comparison"]

_COMPARISON = re.compile(r"(?P<sides>.+ [>|] .+) in (?P<metrics>\w+(?:, \w+)*)(?: \((?P<table>[^()]+)\))?")


@dataclass(frozen=True)
class Comparison:
    """What a gain or an ordering compares: the row of such a claim, taken apart.

    Attributes
    ----------
    ranks : tuple of tuple of str
        From the best to the worst, each the names of table rows; ``("*",)``: all others of the table. A single rank:
        they are said to be comparable.
    metrics : tuple of str
        Of `METRICS`.
    table : str
        The table that is spoken of; empty where the paper names none.

    Examples
    --------
    >>> said = Comparison.read("HARU-Net > * in dice, aji (Table 1)")
    >>> said.ranks, said.metrics, said.table
    ((('HARU-Net',), ('*',)), ('dice', 'aji'), 'Table 1')
    >>> Comparison.read("HARU-Net is best")
    Traceback (most recent call last):
    ...
    ValueError: expected 'A > B in METRIC, METRIC (TABLE)', the better one first, got 'HARU-Net is best'
    """

    ranks: tuple[tuple[str, ...], ...]
    metrics: tuple[str, ...]
    table: str

    @classmethod
    def read(cls, row: str) -> "Comparison":
        """Read ``A > B in METRIC, METRIC (TABLE)``: several of one rank are joined by " | ", and may stand alone.

        Raises
        ------
        ValueError
            If it is no such sentence, or a metric is unknown.
        """
        found = _COMPARISON.fullmatch(row)
        if not found:
            raise ValueError(f"expected 'A > B in METRIC, METRIC (TABLE)', the better one first, got {row!r}")
        metrics = tuple(found["metrics"].split(", "))
        unknown = [one for one in metrics if one not in METRICS]
        if unknown:
            raise ValueError(f"unknown metric {unknown[0]!r} in {row!r}; allowed: {', '.join(METRICS)}")
        ranks = tuple(tuple(name.strip() for name in rank.split(" | ")) for rank in found["sides"].split(" > "))
        return cls(ranks, metrics, found["table"] or "")
