"""The tables of MSAL-Net: one line per row, "–" where there is no number."""

from tests.claim_tables.layout import Table

SCORES = tuple(("monuseg", "test", metric) for metric in ("dice", "iou", "precision", "recall", "training_time"))

TABLES = {
    "Table 1": Table(columns=(("none", "none", "kernel_px"), *SCORES)),
    "Table 2": Table(columns=SCORES),
}
