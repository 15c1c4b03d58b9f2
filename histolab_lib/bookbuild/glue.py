"""What chapters take from MyST-NB, for notebooks that run where it is not installed: a glued number is printed."""

import sys
from importlib.util import find_spec
from types import ModuleType

__all__ = ["glue", "provide"]


def glue(name: str, variable: object, display: bool = True) -> None:
    """Print a number under the name by which the text refers to it.

    Parameters
    ----------
    name : str
    variable : object
    display : bool
        As MyST-NB has it, where it decides whether a page shows the value at this place too; printed either way.

    Examples
    --------
    >>> glue("mean_dice", 0.75, display=False)
    mean_dice: 0.75
    """
    print(f"{name}: {variable}")  # noqa: T201  its purpose


def provide() -> None:
    """Let ``from myst_nb import glue`` work, by `glue` of this module where MyST-NB is not installed."""
    if "myst_nb" in sys.modules or find_spec("myst_nb") is not None:
        return
    module = ModuleType("myst_nb", "Stands in for MyST-NB.")
    module.__dict__["glue"] = glue
    sys.modules["myst_nb"] = module
