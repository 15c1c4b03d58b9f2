"""How a table looks on a page."""

from typing import TYPE_CHECKING

from histolab_lib.claims import DISTANCES
from histolab_lib.results import score_name

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler

__all__ = ["plain"]


def plain(frame: "pd.DataFrame", name: str) -> "Styler":
    """Return a table without its index, scores with three decimals and distances with one, alike in every run.

    Parameters
    ----------
    frame : DataFrame
        What has no value is shown as ``-``.
    name : str
        What the table is called in the HTML; another one for each table of a page.

    Examples
    --------
    >>> import pandas as pd
    >>> html = plain(pd.DataFrame({"tile": ["a", "b"], "Dice": [0.5, None]}), "worst").to_html()
    >>> [html.count(text) for text in ('id="T_worst"', "0.500", "-</td>", "nan")]
    [1, 1, 1, 0]
    """
    distances = {score_name(metric): 1 for metric in DISTANCES}
    style = frame.style.hide(axis="index")
    for column in frame:
        style = style.format(precision=distances.get(str(column), 3), na_rep="-", subset=[column])
    return style.set_uuid(name).set_table_attributes('class="dataframe"')
