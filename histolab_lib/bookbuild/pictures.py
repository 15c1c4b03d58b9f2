"""Pictures of real tissue on published pages: only of sets whose licence lets anyone show them."""

import base64
import io
from collections.abc import Collection

from nbformat import NotebookNode

from histolab_lib.datasets.registry import entries
from histolab_lib.demos import DEMO_MIME

__all__ = ["CHART", "withhold"]

#: Tag of a cell whose figure shows numbers alone, and may always be published.
CHART = "chart"


def withhold(notebook: NotebookNode, sets: Collection[str]) -> int:
    """Replace every picture that may show tissue of a set that we must not show, in place.

    Scores and tables stay. What a figure shows cannot be told from its pixels, so every figure of the page counts as
    a picture of tissue unless its cell is tagged ``chart``; so does every interactive figure.

    Parameters
    ----------
    notebook : NotebookNode
        An executed chapter.
    sets : collection of str
        The real sets that it read.

    Returns
    -------
    int
        How many pictures were left out.
    """
    known = entries()
    refused = [known[name] for name in sets if not known[name].show_pictures]
    if not refused:
        return 0
    terms = ", ".join(f"{entry.title.partition(':')[0]} ({entry.licence})" for entry in refused)
    outputs = [
        output
        for cell in notebook.cells
        if cell.cell_type == "code" and CHART not in cell.metadata.get("tags", [])
        for output in cell.outputs
    ]
    return sum(_replace(output, f"Not published here: {terms}.\nA run of your own draws it.") for output in outputs)


def _replace(output: NotebookNode, words: str) -> bool:
    """Put a card with words in place of a picture; an interactive figure becomes the words alone."""
    data = output.get("data", {})
    pictures = [mime for mime in data if mime.startswith("image/")]
    if not pictures and DEMO_MIME not in data:
        return False
    output["data"] = {"text/plain": words} | ({"image/png": _card(words)} if pictures else {})
    output["metadata"] = {}
    return True


def _card(words: str) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 1.5), dpi=150, facecolor="#f2f2f2")
    figure.text(0.5, 0.5, words, ha="center", va="center", fontsize=10, color="#333333", wrap=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()
