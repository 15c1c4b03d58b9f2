"""The tables of HARU-Net: systems down, Dice, AJI and PQ across; each row is one line, cells apart by tabs."""

from tests.claim_tables.layout import Table

__all__ = ["TABLES"]


def _scores(dataset):
    return Table(tuple((dataset, "test", metric) for metric in ("dice", "aji", "pq")))


TABLES: dict[str, Table] = {
    "Table 1": _scores("monuseg"),
    "Table 2": _scores("consep"),
    "Table 3": _scores("tnbc"),
    "Table 4": _scores("cpm17"),
    "Table 5": _scores("monuseg"),
}
