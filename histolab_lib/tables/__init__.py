"""Tables that chapters on papers share: frames of pandas, ready for a page."""

from histolab_lib.tables.cost import cost_card
from histolab_lib.tables.findings import findings_table
from histolab_lib.tables.images import by_group, errors, group_means, worst
from histolab_lib.tables.look import plain
from histolab_lib.tables.recipes import FIELDS, recipe_table
from histolab_lib.tables.runs import against_paper, difference, interval, with_interval

__all__ = [
    "FIELDS",
    "against_paper",
    "by_group",
    "cost_card",
    "difference",
    "errors",
    "findings_table",
    "group_means",
    "interval",
    "plain",
    "recipe_table",
    "with_interval",
    "worst",
]
