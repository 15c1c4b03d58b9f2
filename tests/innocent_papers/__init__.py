"""Innocent papers: for each rule that can say `unlikely` a declared model of papers that it should not accuse.

A model draws whole papers, as claims, on which the rule makes its checks: with the variety of real ones in units,
digits, numbers of systems and words, correlated as the printed tables are, or from recorded runs. Where a verdict is
about a magnitude, the rate comes out as it does; where it is about the meaning of words, each other meaning has papers
of its own. ``python -m tests.measure_false_alarms`` counts, and writes ``data/facts/false_alarms.json``.
"""

from tests.innocent_papers import counts, machines, magnitudes, tables
from tests.innocent_papers.model import Model, Paper, count

__all__ = ["MODELS", "Model", "Paper", "count"]

#: By the name of the rule.
MODELS: dict[str, Model] = magnitudes.MODELS | tables.MODELS | counts.MODELS | machines.MODELS
