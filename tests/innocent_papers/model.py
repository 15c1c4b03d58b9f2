"""A declared model of innocent papers, and how often a rule accuses them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest import mock

from histolab_lib.audit.registry import RULES
from histolab_lib.claims import Claim

__all__ = ["Draw", "Model", "Paper", "count"]

_GRAVER = ("impossible", "inconsistent")


@dataclass(frozen=True)
class Paper:
    """A made-up paper.

    Attributes
    ----------
    claims : sequence of Claim
    right : bool
        Whether an accusation would be right after all, as chance has it; such a paper counts as not accused.
    instead : mapping of str to object
        What stands in for names of modules while the rule looks at it, such as made-up sets.
    """

    claims: Sequence[Claim]
    right: bool = False
    instead: Mapping[str, Any] = field(default_factory=dict)


Draw = Callable[[Random], Paper]


@dataclass(frozen=True)
class Model:
    """What innocent papers are like, for one rule.

    Attributes
    ----------
    says : str
        The model in one sentence.
    plain : callable
        Takes a random state, gives an innocent paper whose words mean what the rule takes them for.
    fault : str
        What is planted in a guilty paper.
    guilty : callable
        Gives a paper of the same kind with that fault.
    otherwise : mapping of str to callable
        Other meanings of the same words, each with innocent papers in which the author means that.
    """

    says: str
    plain: Draw
    fault: str
    guilty: Draw
    otherwise: Mapping[str, Draw] = field(default_factory=dict)


def count(rule: str, draw: Draw, name: str, numbers: range) -> dict[str, int]:
    """Return how many of the papers of these numbers a rule accuses, how many gravely, and how many checks it makes."""
    told = {"papers": len(numbers), "checks": 0, "accused": 0, "graver": 0}
    for number in numbers:
        paper = draw(Random(f"{rule}, {name}, {number}"))
        with ExitStack() as stack:
            for target, value in paper.instead.items():
                stack.enter_context(mock.patch(target, value))
            found = [one.severity for one in RULES[rule].check(paper.claims)]
        told["checks"] += sum(one in ("fine", "unlikely", *_GRAVER) for one in found)
        told["accused"] += not paper.right and any(one in ("unlikely", *_GRAVER) for one in found)
        told["graver"] += any(one in _GRAVER for one in found)
    return told
