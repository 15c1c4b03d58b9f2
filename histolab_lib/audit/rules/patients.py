"""A rule on images drawn at random from a set with several images of each patient."""

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from math import comb

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.real import drawn_by_authors, part
from histolab_lib.audit.rules.rows import about_set, quoted, whole
from histolab_lib.claims import Claim

__all__ = ["apart", "patients_kept_apart"]

_RANDOM = re.compile(r"\brandom", re.IGNORECASE)
_BY_PATIENT = re.compile(r"\b(patient|slide|case|subject)", re.IGNORECASE)


@rule(
    "patients-kept-apart",
    title="Does a random choice of test images keep patients apart?",
    assumes="Images were drawn one by one, as the sentence says, and not patient by patient.",
)
def patients_kept_apart(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** Let $k$ patients have $c_1, \dots, c_k$ images, $n$ in all. Of the $\binom{n}{m}$ choices of $m$
    test images, all equally likely, as many leave no patient in both parts as the coefficient of $x^m$ in
    $\prod_i (1 + x^{c_i})$ says.

    **Derivation.** No patient is in both parts exactly if the test images are all those of some patients. A choice of
    patients gives $m$ images where the $c_i$ of the chosen sum to $m$; the product counts these choices.

    **How sure.** `unlikely` is that test and training images are of different patients, where its probability is below
    one twentieth, and the finding says how small it is. That is no fault of the numbers, and it is not said of a paper
    whose sentence speaks of patients or slides; but scores on other patients would be others.

    **False alarms.** Of images drawn one by one as seldom as chance keeps patients apart. Of papers that drew patients
    and call it images nearly all.
    """
    for dataset in dict.fromkeys(one.dataset for one in claims):
        real = part(dataset, "all") if drawn_by_authors(dataset) else None
        drawn = [one for one in claims if one.dataset == dataset and _at_random(one)]
        if real is None or not drawn or sum(real.patients.values()) != real.images:
            continue
        found = {one: apart(real.patients.values(), whole(one) or 0) for one in drawn}
        largest = max(found.values())
        numbers = " or ".join(dict.fromkeys(one.value for one in drawn))
        fewest, most = min(real.patients.values()), max(real.patients.values())
        each = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        why = (
            f"{numbers} of {real.images} images drawn at random, of {len(real.patients)} patients with {each} each: "
            f"that no patient has images in both parts has a probability of {float(largest):.1g}."
        )
        severity = "unlikely" if largest * 20 < 1 else "fine"
        yield finding(drawn, "patients-kept-apart", severity, why)


def apart(images: Iterable[int], drawn: int) -> Fraction:
    """Return the probability that a random choice of images takes all or none of each patient's.

    Parameters
    ----------
    images : iterable of int
        How many images each patient has.
    drawn : int
        How many images are chosen.

    Examples
    --------
    Of three patients with two images each, two images of one patient are 3 of the 15 pairs:

    >>> apart([2, 2, 2], 2)
    Fraction(1, 5)
    >>> apart([2, 2, 2], 3)
    Fraction(0, 1)
    """
    ways = {0: 1}
    total = 0
    for number in images:
        total += number
        for some, choices in sorted(ways.items(), reverse=True):
            ways[some + number] = ways.get(some + number, 0) + choices
    return Fraction(ways.get(drawn, 0), comb(total, drawn)) if 0 <= drawn <= total else Fraction(0)


def _at_random(one: Claim) -> bool:
    tested = one.metric == "images" and one.split.startswith("test") and about_set(one) and whole(one)
    return bool(tested and _RANDOM.search(quoted(one)) and not _BY_PATIENT.search(quoted(one)))
