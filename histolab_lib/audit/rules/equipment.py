"""Rules on software and hardware: versions that were never released, memory that a card does not have."""

import re
from collections.abc import Iterator, Sequence

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.known import known
from histolab_lib.audit.rules.rows import quoted
from histolab_lib.claims import Claim

__all__ = ["card_in", "memory_of_the_card", "versions_that_exist"]


@rule(
    "versions-that-exist",
    title="Was this version of the software ever released?",
    assumes="The version is written as its makers number it.",
)
def versions_that_exist(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** Once a higher major version is out, the lower one gets no new minor version: $a.b$ with $b$ above
    the last of $a$ was never released.

    **Derivation.** From the lists of releases (`data/claims/known.toml`). Versions of the current major version are not
    judged, so that the list cannot go out of date.

    **How sure.** `inconsistent` with the makers' list.
    """
    for one in claims:
        for entry in known()["software"] if one.metric == "software" else ():
            pattern = rf"\b{re.escape(entry['name'])}\b\D{{0,12}}?(\d+)\.(\d+)"
            found = re.search(pattern, f"{one.value} {quoted(one)}", re.IGNORECASE)
            if not found or found[1] not in entry["last_minor"]:
                continue
            last = entry["last_minor"][found[1]]
            if int(found[2]) > last:
                why = f"The last {entry['name']} {found[1]} was {found[1]}.{last} ({entry['source']})."
                yield finding([one], "versions-that-exist", "inconsistent", why)
            else:
                yield finding([one], "versions-that-exist", "fine", "There was such a version.")


@rule(
    "memory-of-the-card",
    title="Has this graphics card so much memory?",
    assumes="The memory is said of the card, not of the computer.",
)
def memory_of_the_card(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** A card's memory is what its maker built in.

    **Derivation.** From the maker's specifications (`data/claims/known.toml`); a whole multiple is that of several
    cards. Compared only where row or sentence tie the number to the card: "CARD with N GB", or a row that is the card's
    name.

    **How sure.** `inconsistent` where the row is the card's name. `unlikely` where a sentence ties card and number, for
    grammar cannot exclude that the computer's memory is meant.

    **False alarms.** None where the card's memory is meant. Where the computer's is, all but the amounts that happen to
    be a multiple of the card's.
    """
    for one in claims:
        if one.metric != "memory" or one.number is None:
            continue
        for card in known()["graphics"]:
            if not _said_of(one, card["name"]):
                continue
            if one.number % card["memory_gb"] == 0:
                yield finding([one], "memory-of-the-card", "fine", "That of one or several such cards.")
            else:
                why = (
                    f"A {card['name']} has {card['memory_gb']} GB ({card['source']}). Perhaps the computer's memory is "
                    "meant."
                )
                severity = "inconsistent" if _name(card["name"]).search(one.row) else "unlikely"
                yield finding([one], "memory-of-the-card", severity, why)


def card_in(text: str) -> dict[str, object] | None:
    """Return what is known of the graphics card that a text names.

    Examples
    --------
    >>> card_in("NVIDIA GeForce GTX 1080 Ti GPU")["memory_gb"], card_in("GTX 1080")
    (11, None)
    """
    return next((card for card in known()["graphics"] if _name(card["name"]).search(text)), None)


def _name(card: str) -> re.Pattern[str]:
    """The name as written, with or without spaces; not as the beginning of a longer name."""
    words = r"\s*".join(map(re.escape, card.split()))
    return re.compile(rf"\b{words}\b(?!\s*(?:Ti|Super|Pascal)\b)", re.IGNORECASE)


def _said_of(one: Claim, card: str) -> bool:
    name = _name(card)
    if re.search(r"\bram\b|system|computer|desktop", one.row, re.IGNORECASE):
        return False
    amount = rf"[\w\s,]{{0,12}}(?:with|having|of)\s+{re.escape(one.value)}\s*GB(?!\s*ram)"
    sentence = re.compile(name.pattern + amount, re.IGNORECASE)
    return bool(name.search(one.row) or sentence.search(quoted(one)))
