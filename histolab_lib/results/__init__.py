"""Recorded runs: read, checked, cited, and held beside what papers print. Needs neither torch nor a drawing library."""

from histolab_lib.results.alarms import alarms
from histolab_lib.results.comparison import NOT_RUN, NOTHING, Row, compare, lines_of, table
from histolab_lib.results.naming import run_label, score_name, variant_in_words
from histolab_lib.results.selection import by_schedule, less, longest, pairs, ranked
from histolab_lib.results.store import (
    PAGES,
    Result,
    across_seeds,
    check,
    images_of,
    load_results,
    result,
    results_dir,
    seed_means,
    words,
)

__all__ = [
    "NOTHING",
    "NOT_RUN",
    "PAGES",
    "Result",
    "Row",
    "across_seeds",
    "alarms",
    "by_schedule",
    "check",
    "compare",
    "images_of",
    "less",
    "lines_of",
    "load_results",
    "longest",
    "pairs",
    "ranked",
    "result",
    "results_dir",
    "run_label",
    "score_name",
    "seed_means",
    "table",
    "variant_in_words",
    "words",
]
