"""What a rule says of the claims that it has looked at."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from histolab_lib.claims import Claim

__all__ = ["SEVERITIES", "Finding", "by_place", "finding"]

#: From the gravest. ``impossible``: no data can give these numbers; ``inconsistent``: two places of the paper, or paper
#: and data, exclude each other; ``unlikely``: possible, but rarely; ``fine``: tested, nothing found; ``not testable
#: here``: on data that is not to be had; ``not built yet``: on a network that the book has not built.
SEVERITIES = ("impossible", "inconsistent", "unlikely", "fine", "not testable here", "not built yet")


@dataclass(frozen=True)
class Finding:
    """One check of one rule.

    Attributes
    ----------
    paper : str
        Key of the paper.
    location : str
        Where the numbers are printed; several places joined by ", ".
    rows : tuple of str
        Keys of the claims involved.
    values : tuple of str
        Their values as printed, in the order of `rows`, and no other number.
    rule : str
        Name of the rule.
    severity : str
        Of `SEVERITIES`.
    explanation : str
        One or two sentences for a reader of the paper: what was compared, what follows.
    """

    paper: str
    location: str
    rows: tuple[str, ...]
    values: tuple[str, ...]
    rule: str
    severity: str
    explanation: str

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity: expected one of {', '.join(SEVERITIES)}, got {self.severity!r}")
        if len(self.rows) != len(self.values) or not self.rows:
            raise ValueError(f"rows and values: expected as many of each, at least one, got {self.rows}, {self.values}")

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON knows."""
        return asdict(self) | {"rows": list(self.rows), "values": list(self.values)}


def finding(claims: tuple[Claim, ...] | list[Claim], rule: str, severity: str, explanation: str) -> Finding:
    """Return what a rule says of these claims, all of one paper: locations, keys and values are taken from them.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> pair = [claim(f"histoseg/table-iv/u-net/monuseg/test/{metric}") for metric in ("f1", "iou")]
    >>> finding(pair, "jaccard-below-dice", "fine", "IoU is not above F1.").values
    ('79.43', '65.99')
    """
    return Finding(
        paper=claims[0].paper,
        location=", ".join(dict.fromkeys(one.location for one in claims)),
        rows=tuple(one.key for one in claims),
        values=tuple(one.value for one in claims),
        rule=rule,
        severity=severity,
        explanation=explanation,
    )


def by_place(claims: Iterable[Claim]) -> dict[str, list[Claim]]:
    """Return claims by where they stand: location, row of the table, data set, as one says it.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> list(by_place([claim("histoseg/table-iv/u-net/monuseg/test/f1")]))
    ['Table IV, U-Net (monuseg)']
    """
    places: dict[str, list[Claim]] = {}
    for one in claims:
        row = "" if one.comparison or not one.row else f", {one.row}"
        where = "" if one.dataset == "none" else f" ({one.dataset})"
        places.setdefault(f"{one.location}{row}{where}", []).append(one)
    return places
