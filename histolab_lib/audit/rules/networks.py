"""Rules on networks: parameters and training time against networks that were built, receptive fields by arithmetic."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.equipment import card_in
from histolab_lib.audit.rules.known import known
from histolab_lib.audit.rules.rows import about_windows, of_each_image, whole
from histolab_lib.claims import PAPERS, Claim, network_called
from histolab_lib.data_dir import data_dir

__all__ = ["network_of", "parameters_of_the_network", "receptive_fields", "training_time_against_work"]

#: The encoder that a network of this name has in the paper it comes from.
_USUAL = {"linknet": "resnet18"}


@rule(
    "parameters-of-the-network",
    title="Has the network so many parameters?",
    assumes="The network is one of the variants that were built here.",
)
def parameters_of_the_network(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** A printed number of parameters is that of the network, rounded or cut off: $v$ printed with unit
    $u$ in its last place stands for $[v - u/2, v + u)$.

    **Derivation.** Counted in the network as built (`data/facts/parameters.json`, recounted by a test), with and
    without the running statistics of batch norm, which some libraries add.

    **How sure.** For the paper's own network, built as the paper describes it, `inconsistent` where no variant fits.
    For a network known by its name alone `unlikely`: a name covers a family (the networks called U-Net here differ
    sixfold), so that nothing follows from a count that none of these few variants has.
    `not built yet` for a network that the book has not built.

    **False alarms.** None of the forms that were counted. Of U-Nets of another width, depth or way up most: the
    finding says which forms were counted, and asks which one the paper has built.
    """
    for one in claims:
        if one.metric == "parameters" and (allowed := _parameters(one)):
            name = network_of(one)
            variants = _networks().get(name, {}).get("variants", {})
            forms = {form["form"]: form["parameters"] for form in known()["network"] if form["name"] == name}
            yield _against(one, allowed, variants, forms)


@rule(
    "receptive-fields",
    title="Do the receptive fields follow from kernels and rates?",
    assumes="Convolutions of stride 1 that follow each other as the paper describes it.",
)
def receptive_fields(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** Convolutions of kernel $k$ and rates $r_1, \dots, r_n$ in a row see $1 + (k - 1) \sum_i r_i$
    pixels to a side.

    **Derivation.** One output pixel sees $k$ inputs that lie $r$ apart, $1 + (k - 1) r$ pixels in all. Each of them
    sees as much again of the layer before; with stride 1 the additions $(k - 1) r_i$ add up. A convolution of
    kernel 1 adds nothing.

    **How sure.** `inconsistent` where the stack that the paper describes (`data/claims/known.toml`) gives other
    numbers. Nothing is said where no stack is described: with strides and pooling any number is possible.
    """
    told = [one for one in claims if one.metric == "receptive_field_px" and whole(one)]
    for stack in (stack for stack in known()["cascade"] if told and stack["paper"] == told[0].paper):
        fields = [1 + (stack["kernel_px"] - 1) * sum(rates) for rates in stack["branches"]]
        same = sorted(fields) == sorted(whole(one) or 0 for one in told)
        rates = "; ".join("-".join(map(str, branch)) for branch in stack["branches"])
        why = f"Rates {rates} with kernel {stack['kernel_px']} see {', '.join(map(str, fields))} pixels."
        yield finding(told, "receptive-fields", "fine" if same else "inconsistent", why)


@rule(
    "training-time-against-work",
    title="Can the card do so much work in the printed time?",
    assumes="The time is that of all epochs; back costs twice as much as forward; convolutions are computed directly.",
)
def training_time_against_work(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** Training for $E$ epochs on $N$ patches takes at least $6\,M\,N\,E/P$ seconds, with $M$
    multiplications and additions for a patch and $P$ operations per second at the card's peak.

    **Derivation.** A pass forward is $M$ multiplications and $M$ additions; the pass back computes the gradient of
    the inputs and of the weights, each as large. $M$ is counted at 256 px (`data/facts/parameters.json`) and grows with
    the area. Work beside convolutions, memory and waiting are left out, so that real trainings take several times this.

    **How sure.** `unlikely`: transformed convolutions (Winograd) save a factor of up to 2.25 for kernels of 3, and
    16-bit arithmetic more where the card has it. What is called unlikely is one reading, the total of all epochs; an
    epoch in the printed time remains possible.

    **False alarms.** A training that beats the peak of direct convolution. How near trainings come to it was not
    measured but assumed, about a third; then about one in a hundred does. Of times for one epoch nearly all are.
    """
    patches = [one for one in claims if one.metric == "patches" and one.split == "train" and not of_each_image(one)]
    epochs = [one for one in claims if one.metric == "epochs" and whole(one)]
    cards = [(one, card_in(one.value)) for one in claims if one.metric == "hardware" and card_in(one.value)]
    times = {(one.system, one.value): one for one in reversed(claims) if one.metric == "training_time" and one.interval}
    for time in reversed(times.values()):
        here = [one for one in patches if one.dataset == time.dataset and whole(one)]
        long = [one for one in epochs if one.dataset in (time.dataset, "none")]
        size = _patch_size(claims, time.dataset)
        work = _multiply_adds(time)
        if len(here) == len(long) == 1 and len(size) == 2 and cards and work:
            yield _timed(time, [here[0], long[0], *size, cards[0][0]], cards[0][1] or {}, work)


def network_of(one: Claim) -> str:
    """Return the network that a row names, by the names of ``data/facts/parameters.json``; of a paper's own its key.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> network_of(claim("gland_linknet/section-ii-b/u-net/parameters"))
    'unet'
    """
    name = re.split(r"\s\+\s", one.system)[0]
    return network_called(name, one.paper) or name


@cache
def _networks() -> Mapping[str, Any]:
    counted = json.loads((data_dir() / "facts" / "parameters.json").read_text(encoding="utf-8"))
    networks: Mapping[str, Any] = counted["networks"]
    return networks


def _parameters(one: Claim) -> tuple[Fraction, Fraction] | None:
    """What may be printed so, in parameters: rounded, or cut off."""
    if one.number is None or one.interval is None or one.unit not in ("million", "count"):
        return None
    scale = 1_000_000 if one.unit == "million" else 1
    low, high = (Fraction(end) for end in one.interval)
    return low * scale, (Fraction(one.number) + (high - low)) * scale


def _against(
    one: Claim, allowed: tuple[Fraction, Fraction], variants: Mapping[str, Any], forms: Mapping[str, int]
) -> Finding:
    named = "parameters-of-the-network"
    if not variants and not forms:
        name = PAPERS.get(one.paper, one.paper) if network_of(one) == one.paper else one.system
        return finding([one], named, "not built yet", f"The book has not built {name or 'this network'} yet.")
    counts = {f"{name}": (v["parameters"], v["parameters"] + v["statistics"]) for name, v in variants.items()}
    counts |= {form: (number, number) for form, number in forms.items()}
    low, high = allowed
    if fits := [name for name, numbers in counts.items() if any(low <= n <= high for n in numbers)]:
        return finding([one], named, "fine", f"{fits[0]}: {counts[fits[0]][0]:,} parameters.")
    have = "; ".join(f"{name}: {numbers[0]:,}" for name, numbers in counts.items())
    own = network_of(one) == one.paper
    what = "the network as described has" if own else "the forms of a network of this name that were counted have"
    why = f"{one.value} {one.unit}, while {what} others ({have})."
    return finding([one], named, "inconsistent" if own else "unlikely", why)


def _patch_size(claims: Sequence[Claim], dataset: str) -> list[Claim]:
    sides = [
        [one for one in claims if one.metric == metric and one.dataset == dataset and one.row and about_windows(one)]
        for metric in ("height_px", "width_px")
    ]
    return [side[0] for side in sides if len({one.value for one in side}) == 1]


def _multiply_adds(time: Claim) -> int:
    """Of one image of 256 px; 0 where the row leaves open which network it is."""
    name = network_of(time)
    encoder = re.search(r"\+ res(?:net)?-?(\d+)$", time.system, re.IGNORECASE)
    wanted = f"resnet{encoder[1]}" if encoder else _USUAL.get(name, "")
    built = [v for v in _networks().get(name, {}).get("variants", {}).values() if v["options"] == {"encoder": wanted}]
    return int(built[0]["multiply_adds"]) if built else 0


_TOO_SHORT = (
    " cannot well be the whole training, though it may be one epoch. Transformed convolutions save a factor of up to "
    "2.25, but trainings seldom come near the peak."
)


def _timed(time: Claim, told: list[Claim], card: Mapping[str, Any], work: int) -> Finding:
    patches, epochs, height, width = (whole(one) or 0 for one in told[:4])
    unit = {"seconds": 1, "minutes": 60, "hours": 3600, "unstated": 1}[time.unit]
    least = 6 * work * (height * width / 256**2) * patches * epochs / (float(card["teraflops"]) * 1e12)
    high = float(time.interval[1]) * unit if time.interval else 0.0
    severity = "fine" if high >= least else "unlikely"
    why = (
        f"{epochs} epochs on {patches} patches of {width} x {height} px are at least {least:.0f} seconds at the peak "
        f"of a {card['name']} by direct convolution; {time.value} {time.unit}"
    )
    why += " is more." if severity == "fine" else _TOO_SHORT
    return finding([time, *told], "training-time-against-work", severity, why)
