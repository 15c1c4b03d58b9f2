"""The layout of a printed table."""

from dataclasses import dataclass

__all__ = ["Table"]


@dataclass(frozen=True)
class Table:
    """What stands in a table, column by column.

    Attributes
    ----------
    columns : tuple of (str, str, str)
        Data set, split and metric of each printed column of numbers, in order.
    systems : tuple of str
        The system of each column, where a table sets several side by side; empty where rows are systems.
    """

    columns: tuple[tuple[str, str, str], ...]
    systems: tuple[str, ...] = ()
