"""Made-up claims for the tests of the rules."""

from histolab_lib.claims import METRICS, Claim


def said(
    metric, value, row="", *, dataset="folder", split="all", location="Section 1", quote="", unit=None, paper="mine"
):
    """One claim; a quote becomes the note, as claim files have it."""
    return Claim(
        paper, location, row, dataset, split, metric, str(value), unit or METRICS[metric][0], "",
        note=f'"{quote}"' if quote else "",
    )  # fmt: skip


def severities(check, claims):
    return [one.severity for one in check(claims)]
