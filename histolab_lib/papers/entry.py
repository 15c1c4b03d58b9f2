"""What the book knows about a network besides its layers: how it is made, trained, and which code was released."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from torch import nn

from histolab_lib.recipe import Recipe

__all__ = ["Network"]


@dataclass(frozen=True, kw_only=True)
class Network:
    """One network of the book.

    Attributes
    ----------
    title : str
        As it is called in a sentence.
    make : callable
        Makes it; its keyword arguments, `seed` among them, are the options of `papers.build`. Where `code` is not
        empty it takes ``reading="paper" | "code"`` too.
    recipes : callable
        ``recipes(reading, variant)`` gives a `Recipe`, and raises ValueError where there is none.
    code : str
        Where the authors' code was released; empty: nowhere.
    rows : mapping of str to mapping
        Options of `make` by variant, for every build whose parameters are counted; the first is ``"base"``. A variant
        of the code reading stands here under its own name with ``{"reading": "code", ...}``.
    printed : mapping of str to str
        For a variant of `rows`, the key of the claim that prints its parameters.
    """

    title: str
    make: Callable[..., nn.Module]
    recipes: Callable[[str, str], Recipe]
    code: str = ""
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({"base": {}}))
    printed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
