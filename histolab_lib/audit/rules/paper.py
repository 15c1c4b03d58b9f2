"""The claims of one paper, with what an accusation looks up among all of them found once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from histolab_lib.audit.rules.cells import What, what
from histolab_lib.claims import Claim

__all__ = ["Paper"]


class Paper(tuple[Claim, ...]):
    """Claims that do not change, so that indices of them hold.

    Rules take any sequence of claims; of one that is not a `Paper`, indices are made anew each time.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> paper = Paper.of([claim("histoseg/table-iv/u-net/monuseg/test/f1")])
    >>> Paper.of(paper) is paper
    True
    >>> [[one.value for one in prints] for prints in paper.prints.values()]
    [['79.43']]
    """

    @classmethod
    def of(cls, claims: Sequence[Claim]) -> "Paper":
        """Return the claims as a paper: themselves if they are one."""
        return claims if isinstance(claims, cls) else cls(claims)

    @cached_property
    def prints(self) -> Mapping[What, list[Claim]]:
        """Every print of a figure, by what it is about, in the order of the claims."""
        found: dict[What, list[Claim]] = defaultdict(list)
        for one in self:
            found[what(one)].append(one)
        return found

    @cached_property
    def notes(self) -> Mapping[tuple[str, str], set[str]]:
        """The different notes by paper and metric."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for one in self:
            found[one.paper, one.metric].add(one.note)
        return found
