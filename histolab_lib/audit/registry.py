"""Rules by name: what each asks, what it assumes, and how to call it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from histolab_lib.audit.false_alarms import FalseAlarms, false_alarms
from histolab_lib.audit.finding import Finding
from histolab_lib.claims import Claim

__all__ = ["RULES", "Rule", "rule"]

Check = Callable[[Sequence[Claim]], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """A rule.

    Attributes
    ----------
    name : str
        As findings cite it: lower case with hyphens.
    title : str
        The question, in a few words.
    assumes : str
        What must be true for it to accuse rightly.
    check : callable
        Takes the claims of one paper; gives a `Finding` for every check that it makes, ``fine`` ones included. Its
        docstring holds the statement and its proof.
    """

    name: str
    title: str
    assumes: str
    check: Check

    @property
    def proof(self) -> str:
        """The statement and why it holds."""
        return self.check.__doc__ or ""

    @property
    def false_alarms(self) -> FalseAlarms | None:
        """How often it accuses innocent papers; None for a rule that never says ``unlikely``."""
        return false_alarms(self.name)


#: All rules, filled by `rule` when `histolab_lib.audit.rules` is imported.
RULES: dict[str, Rule] = {}


def rule(name: str, *, title: str, assumes: str) -> Callable[[Check], Check]:
    """Enter a check among the rules.

    Raises
    ------
    ValueError
        If the name is taken, or the check has no docstring.
    """

    def enter(check: Check) -> Check:
        if name in RULES:
            raise ValueError(f"rule {name!r} stands already, in {RULES[name].check.__module__}")
        if not check.__doc__:
            raise ValueError(f"rule {name!r} needs a docstring: its statement and its proof")
        RULES[name] = Rule(name, title, assumes, check)
        return check

    return enter
