"""How a paper trains its network, and where each setting is said."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FIELDS", "recipe_table"]

#: Fields of a recipe by which papers differ most.
FIELDS = (
    "weights", "patches", "augment", "loss", "loss_options", "optimiser", "lr", "lr_schedule", "batch_size", "epochs",
    "validation", "selection", "thresholds", "postprocess",
)  # fmt: skip


def recipe_table(key: str, fields: Sequence[str] = FIELDS) -> "pd.DataFrame":
    """Return the settings of a paper's training with their sources.

    Parameters
    ----------
    key : str
        A network with a recipe by its paper's text.
    fields : sequence of str
        Fields of `histolab_lib.recipe.Recipe`.

    Returns
    -------
    DataFrame
        Columns: field, paper, source, paper; and, where code was released, released code, source, code. What a recipe
        does not use is ``-``, and so is the source of a field at its default. No text has Markdown in it.

    Raises
    ------
    ValueError
        If there is no such recipe, or a recipe has no such field.

    Examples
    --------
    >>> list(recipe_table("msal_net", ["lr"])), list(recipe_table("histoseg", ["lr"]))[3:]
    (['field', 'paper', 'source, paper'], ['released code', 'source, code'])
    """
    import pandas as pd

    from histolab_lib.choices import choose
    from histolab_lib.papers import recipe
    from histolab_lib.papers.registry import networks

    text = recipe(key, reading="paper")
    for name in fields:
        choose("field of a recipe", name, text.settings())
    columns = {"field": [*fields], "paper": [_spoken(getattr(text, name)) for name in fields]}
    columns["source, paper"] = [_plain(text.sources.get(name, "-")) for name in fields]
    if networks()[key].code:
        code = recipe(key, reading="code")
        columns["released code"] = [_spoken(getattr(code, name)) for name in fields]
        columns["source, code"] = [_plain(code.sources.get(name, "-")) for name in fields]
    return pd.DataFrame(columns)


def _plain(words: str) -> str:
    """A source without the backticks of its Markdown."""
    return words.replace("`", "")


def _spoken(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_spoken(one)}" for name, one in value.items()) or "-"
    return ", ".join(map(_spoken, value)) if isinstance(value, tuple) else str(value)
