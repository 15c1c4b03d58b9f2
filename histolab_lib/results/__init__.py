"""Recorded runs: read, checked, cited, and held beside what papers print. Needs neither torch nor a drawing library."""

from histolab_lib.results.alarms import alarms
from histolab_lib.results.comparison import NOT_RUN, NOTHING, Row, compare, lines_of, table
from histolab_lib.results.store import PAGES, Result, across_seeds, check, load_results, result, results_dir, words

__all__ = [
    "NOTHING",
    "NOT_RUN",
    "PAGES",
    "Result",
    "Row",
    "across_seeds",
    "alarms",
    "check",
    "compare",
    "lines_of",
    "load_results",
    "result",
    "results_dir",
    "table",
    "words",
]
