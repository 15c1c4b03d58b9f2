"""A rule on tables by organ: as many groups as the paper counts."""

from collections.abc import Iterator, Sequence

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.rows import whole
from histolab_lib.claims import COMPARING, Claim

__all__ = ["organs_in_tables"]


@rule(
    "organs-in-tables",
    title="Do the tables show as many organs as the paper counts?",
    assumes="A row of a table by organ is one organ, under the same name in all tables.",
)
def organs_in_tables(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** If a set has $n$ organs, a table by organ has at most $n$ rows for it, and the tables of all sets
    together have at most as many different ones as the paper counts over all sets.

    **Derivation.** Counting different names, the mean row left out.

    **How sure.** More rows than organs is `inconsistent`. Fewer is `unlikely`: a table may leave organs out, and a set
    without a table by organ may bring more.

    **False alarms.** None where every organ has its row, and each set its table. All tables that leave organs
    out; most papers that count a set without such a table.
    """
    tables: dict[str, set[str]] = {}
    first: dict[tuple[str, str], Claim] = {}
    for one in claims:
        if one.metric not in COMPARING and one.group and one.group.lower() != "average":
            tables.setdefault(one.dataset, set()).add(one.group.lower())
            first.setdefault((one.dataset, one.group.lower()), one)
    tables["none"] = set().union(*tables.values())
    counted = [one for one in claims if one.metric == "organs" and whole(one) and one.split in ("all", "none")]
    for dataset, value in dict.fromkeys((one.dataset, one.value) for one in counted):
        shown = tables.get(dataset, set())
        same = [one for one in counted if (one.dataset, one.value) == (dataset, value)]
        if shown:
            rows = [row for (other, _), row in first.items() if dataset in (other, "none")]
            yield _compared(same, len(shown), rows)


def _compared(same: list[Claim], shown: int, rows: list[Claim]) -> Finding:
    one, number = same[0], whole(same[0]) or 0
    where = "the tables by organ" if one.dataset == "none" else f"the table by organ of {one.dataset}"
    severity = "fine" if shown == number else "unlikely" if shown < number else "inconsistent"
    involved = [*same, *(rows if severity == "inconsistent" else rows[:1])]
    why = f"{one.value} are counted, {shown} different ones stand in {where}."
    if shown < number:
        why += " A set without such a table may bring more." if one.dataset == "none" else " It may leave some out."
    return finding(involved, "organs-in-tables", severity, why)
