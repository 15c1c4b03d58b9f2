"""What the rules of the audit find in a paper's numbers."""

from typing import TYPE_CHECKING

from histolab_lib.choices import choose
from histolab_lib.claims import PAPERS, load_claims

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["findings_table"]

_TOLD = ("impossible", "inconsistent", "unlikely")
_COLUMNS = ("how sure", "where", "printed", "asked")


def findings_table(paper: str) -> "pd.DataFrame":
    """Return what the audit finds in a paper's published numbers, the gravest first.

    Parameters
    ----------
    paper : str
        Its key.

    Returns
    -------
    DataFrame
        Columns: how sure (``impossible``, ``inconsistent`` or ``unlikely``), where, printed, asked. What a rule has
        tested and found in order has no line.

    Raises
    ------
    ValueError
        If the book has no such paper.

    Examples
    --------
    >>> list(findings_table("msal_net"))
    ['how sure', 'where', 'printed', 'asked']
    """
    import pandas as pd

    from histolab_lib.audit.report import audit
    from histolab_lib.audit.rules import RULES

    choose("paper", paper, PAPERS)
    rows = [
        (one.severity, one.location, ", ".join(dict.fromkeys(one.values)), RULES[one.rule].title)
        for one in audit(claim for claim in load_claims() if claim.paper == paper)
        if one.severity in _TOLD
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))
