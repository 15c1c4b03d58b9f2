"""A rule on sizes on the way through a network."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.known import known
from histolab_lib.claims import Claim

__all__ = ["sizes_through_the_network"]


@rule(
    "sizes-through-the-network",
    title="Do strides and factors lead from one printed size to the other?",
    assumes="Convolutions are padded, so that only what the paper calls downsampling or upsampling changes a size.",
)
def sizes_through_the_network(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** A side of $a$ pixels is $a \prod_i f_i$ after steps that multiply it by $f_1, f_2, \dots$: 2 for
    an upsampling by two, 1/2 for a stride of two.

    **Derivation.** Multiplication. Which claims follow each other is told in `data/claims/known.toml`, with the place
    where the paper says so, and with what could explain a misfit.

    **How sure.** `inconsistent`: the paper's own sizes and factors exclude each other, by at least one misprint or one
    step that the text leaves out. Rounding where a side is odd changes a size by less than a pixel at each step, and is
    allowed for.
    """
    told = {one.key: one for one in claims}
    for chain in known()["chain"]:
        names = [chain["start"], *(name for step in chain["steps"] for name in _names(step)), chain["end"]]
        if all(name in told and told[name].number is not None for name in names):
            yield _followed(chain, told, list(dict.fromkeys(names)))


def _followed(chain: Mapping[str, Any], told: Mapping[str, Claim], names: list[str]) -> Finding:
    size, said = _value(told[chain["start"]]), told[chain["start"]].value
    for step in chain["steps"]:
        factor = _factor(step, told)
        size *= factor
        said += f" x {factor}" if factor >= 1 else f" / {1 / factor}"
    end = told[chain["end"]]
    fits = abs(size - _value(end)) < 1
    shown = size if size.denominator == 1 else f"{float(size):.1f}"
    why = f"{chain['what'].capitalize()}: {said} = {shown}, {'as' if fits else 'not'} {end.value}."
    why += f" {chain['otherwise']}" if "otherwise" in chain and not fits else ""
    return finding([told[name] for name in names], "sizes-through-the-network", "fine" if fits else "inconsistent", why)


def _names(step: Mapping[str, Any]) -> list[str]:
    return [step[way] for way in ("multiply", "divide", "halve", "repeated") if way in step]


def _factor(step: Mapping[str, Any], told: Mapping[str, Claim]) -> Fraction:
    if "by" in step:
        return 1 / Fraction(step["by"])
    if "halve" in step:
        return Fraction(1, 2) ** int(_value(told[step["halve"]]))
    times = int(_value(told[step["repeated"]])) if "repeated" in step else 1
    if "multiply" in step:
        return _value(told[step["multiply"]]) ** times
    return 1 / _value(told[step["divide"]]) ** times


def _value(claim: Claim) -> Fraction:
    return Fraction(claim.number or 0)
