"""A rule on numbers that a paper takes from others and that stand among its own runs, too."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.cells import What, quantity, what
from histolab_lib.claims import SCORES, Claim

__all__ = ["quoted_as_own"]

_QUOTED = re.compile(r"\bquoted there from another paper\b")
_Place = tuple[str, str, str, str]
#: Steps of the last printed place beyond which two trainings often print alike.
_STEP = Fraction(1, 1000)


@rule(
    "quoted-as-own",
    title="Is a row that was taken from another paper also a run of this one?",
    assumes="the claim file notes which rows are quoted from another paper, by the words of this one",
)
def quoted_as_own(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""A system whose scores are quoted in one table and the paper's own in another has two trainings, so two rows.

    Rows of one table say in their notes "quoted there from another paper" where the paper says so. Where another table
    has the same system on the same data without that note, at least two scores are compared. Equal in every printed
    digit, if only in another order of the metrics, and all printed in steps of 0.001 or smaller: `unlikely` to be two
    trainings. Otherwise `fine`.

    How sure: two trainings whose score varies with a standard deviation of $s$ differ by a number of variance $2 s^2$,
    normally distributed if each is. Its density is at most $1 / (2 s \sqrt\pi)$, so that both print alike, at steps of
    $u$, with a probability of at most about $u / (2 s \sqrt\pi)$: 0.09 for $u = 0.001$ and $s = 0.003$, and less where
    scores do not rise and fall together. Steps of 0.01 would make it likely.

    **False alarms.** By chance as rarely as the measured rate says, of trainings that differ as much as another seed
    makes them. Of a baseline that is quoted in both tables, while one does not say so, all that have digits enough:
    nothing forbids that, but then its row is no run under the conditions of the others, and the first step of a
    comparison changes more than one thing.
    """
    places: dict[_Place, dict[str, Claim]] = defaultdict(dict)
    for one in claims:
        if one.metric in SCORES and one.number is not None and one.location.startswith("Table"):
            places[one.location, *_about(what(one))][one.metric] = one
    for place, quoted in places.items():
        if all(_QUOTED.search(one.note) for one in quoted.values()):
            for other, own in places.items():
                if other[1:] == place[1:] and not any(_QUOTED.search(one.note) for one in own.values()):
                    yield from _compared(quoted, own)


def _about(figure: What) -> tuple[str, str, str]:
    return f"{figure.system}: {figure.group}", figure.dataset, figure.split


def _compared(quoted: dict[str, Claim], own: dict[str, Claim]) -> Iterator[Finding]:
    shared = [metric for metric in quoted if metric in own]
    if len(shared) < 2:
        return
    one, other = ([cells[metric] for metric in shared] for cells in (quoted, own))
    named = f"{other[0].location}, {other[0].row}, and the row of {one[0].row} quoted in {one[0].location}"
    if sorted(cell.value for cell in one) != sorted(cell.value for cell in other):
        yield finding([*one, *other], "quoted-as-own", "fine", f"{named} differ.")
        return
    if any(_coarse(cell) for cell in (*one, *other)):
        why = f"{named} have the same {len(shared)} scores, with too few digits to tell two trainings apart."
        yield finding([*one, *other], "quoted-as-own", "fine", why)
        return
    values = " ".join(cell.value for cell in other)
    order = "" if [c.value for c in one] == [c.value for c in other] else " in another order"
    why = (
        f"{named} have the same {len(shared)} scores{order} ({values}), which two trainings seldom give. If it is "
        "quoted in both, it was not run under the conditions of the other rows."
    )
    yield finding([*one, *other], "quoted-as-own", "unlikely", why)


def _coarse(cell: Claim) -> bool:
    printed = quantity(cell)
    return printed is None or printed.high - printed.low > _STEP
