"""Rules on what papers say of a public set, against what was counted in its files."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.known import known
from histolab_lib.audit.rules.real import COUNTED, Part, drawn_by_authors, part
from histolab_lib.audit.rules.rows import about_set, amount, counts
from histolab_lib.claims import COMPARING, Claim
from histolab_lib.data_dir import data_dir
from histolab_lib.datasets import registry

__all__ = ["barcodes_of_organs", "counts_of_the_set", "magnification_of_the_set", "organs_of_the_set"]

_COUNTS = ("images", "nuclei", "glands", "organs", "patients")
_VERSIONS = "other versions of the set may exist"
#: Words by which papers name organs, with the word of the facts; longer ones are looked for first.
_ORGANS = {
    word: word
    for word in (
        "adrenal gland", "bile duct", "bladder", "brain", "breast", "cervix", "colon", "esophagus", "head and neck",
        "kidney", "liver", "lung", "ovarian", "ovary", "pancreas", "pancreatic", "prostate", "rectum", "skin",
        "stomach", "testis", "thyroid", "uterus",
    )
} | {"colorectal": "colon", "kidneys": "kidney", "lungs": "lung"}  # fmt: skip
_WAYS = {
    "regions": "annotated regions",
    "objects": "labelled objects",
    "objects_as_published": "ids as published",
    "components_4": "pieces joined by edges",
    "components_8": "pieces joined by edges or corners",
}


@rule(
    "counts-of-the-set",
    title="Do the numbers of images, objects, organs and patients agree with the files of the set?",
    assumes="The paper used the version of the set whose files were counted here.",
)
def counts_of_the_set(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** What a paper counts in a public split is what its files hold.

    **Derivation.** Counted (`data/facts`, written by `histolab data facts`, recounted by a test). Nuclei and glands
    are tried in every way of counting that the facts keep: annotated regions, ids that keep a pixel, connected
    components with 4 and with 8 neighbours. A number with "around" need only round to it. Splits that each paper
    draws by itself (TNBC has none of its own) are not compared; training images less those that the paper holds out
    for validation are fine.

    **How sure.** `unlikely` for fewer images than the split has, which a paper may leave out. All else
    `inconsistent`: paper and files exclude
    each other, which need not be the paper's doing. Sets were published in several versions, and organisers' own
    counts differ from the files; where such a count is known, the finding says it. `not testable here` for sets
    whose files could not be had.

    **False alarms.** None of papers that use every image. All of those that leave images out without saying so.
    """
    for one in claims:
        if one.metric in _COUNTS and about_set(one) and one.interval and _public(one):
            real = part(one.dataset, one.split)
            if real is None:
                yield finding([one], "counts-of-the-set", "not testable here", _no_files(one))
            elif found := _found(one, real):
                yield _compared(one, found, _held_out(claims, one))


@rule(
    "organs-of-the-set",
    title="Are the organs that the paper names those of the set?",
    assumes="As for the counts; organs as the organisers label them.",
)
def organs_of_the_set(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** Every organ that a paper names for a split is one of those that the organisers name for it.

    **Derivation.** Comparison of words: the organs of a list, and the parts of a table by organ, with the organs of
    the tiles. Organs of the set that the paper does not name are no contradiction.

    **How sure.** `inconsistent`; `not testable here` where the files could not be had.
    """
    places: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
    for one in claims:
        places[one.dataset, one.split, one.location].append(one)
    for (dataset, split, _), here in places.items():
        naming = _first_of_each(one for one in here if _organs(one))
        if not naming:
            continue
        real = part(dataset, split) or part(dataset, "all")
        if real is None or not real.organs:
            yield finding(naming, "organs-of-the-set", "not testable here", _no_files(naming[0]))
            continue
        strange = {organ: one for one in naming for organ in _organs(one) if organ not in real.organs}
        if strange:
            why = f"{', '.join(strange)}: not among the organs of the files, {', '.join(real.organs)}; {_VERSIONS}."
            yield finding(list(dict.fromkeys(strange.values())), "organs-of-the-set", "inconsistent", why)
        else:
            yield finding(naming, "organs-of-the-set", "fine", "Every organ named is one of the set's.")


@rule(
    "barcodes-of-organs",
    title="Do the barcodes of the tiles say the same organ?",
    assumes="A tile shows tissue of the organ whose tumours its project collected.",
)
def barcodes_of_organs(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** A tile's TCGA barcode names in its second field the site that gave the tissue and the project it
    gave it for; the organ of the tile's label is the organ of that project.

    **Derivation.** The code table of the Genomic Data Commons (`data/claims/known.toml`) beside the labels of the tiles
    (`data/facts/monuseg_tiles.csv`). Sites that could not be checked are left out, so that a tile is accused only by a
    site that is known.

    **How sure.** `inconsistent` between label and barcode. The label is the organisers': a paper that names the organ
    has inherited it. Which of the two is right, only the slide can tell.
    """
    places: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for one in claims:
        if one.dataset in ("monuseg", "kumar"):
            places[one.dataset, one.location].append(one)
    for (dataset, _), naming in places.items():
        for organ in dict.fromkeys(organ for one in naming for organ in _organs(one)):
            rows = _first_of_each(one for one in naming if organ in _organs(one))
            tiles = [tile for tile in _tiles(dataset) if tile["organ"] == organ]
            if other := {tile["tile"]: tile["by_barcode"] for tile in tiles if tile["by_barcode"] not in ("", organ)}:
                names = ", ".join("-".join(name.split("-")[:3]) for name in other)
                why = (
                    f"{len(other)} of the {len(tiles)} tiles that the organisers label {organ} carry barcodes of "
                    f"{' and '.join(dict.fromkeys(other.values()))}: {names}. The paper has inherited the label."
                )
                yield finding(rows, "barcodes-of-organs", "inconsistent", why)
            elif any(tile["by_barcode"] for tile in tiles):
                yield finding(rows, "barcodes-of-organs", "fine", f"Known barcodes of {organ} agree with the label.")


@rule(
    "magnification-of-the-set",
    title="Does the magnification fit the size of a pixel?",
    assumes="Magnification means the objective, as slide scanners use the word.",
)
def magnification_of_the_set(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** At magnification $m$ a pixel of a slide scanner is about $10/m$ micrometres wide: 0.25 at 40x,
    0.5 at 20x. So $6.7 \le m\,u \le 15$ for pixels of $u$ micrometres.

    **Derivation.** A rule of thumb of the field, not a law; the bounds allow a factor of 1.5 either way. They part 20x
    from 40x, no more.

    **How sure.** `unlikely`; the sets whose pixel size and magnification are both published and known here (MoNuSeg
    40x, 0.246 to 0.253; GlaS 20x, 0.62) are too few for more.

    **False alarms.** As often as a scanner's pixel is half as large again as the rule of thumb has it, or smaller in
    that way: measured for pixels that vary as in these two sets. Nearly all images that were brought to half size.
    """
    for one in claims:
        real = part(one.dataset, one.split) if one.metric == "magnification" else None
        if real is None or one.number is None or not real.um_per_px:
            continue
        sizes = sorted(float(size) for size in real.um_per_px)
        fits = all(6.7 <= float(one.number) * size <= 15 for size in (sizes[0], sizes[-1]))
        why = f"Pixels of {sizes[0]:g}{f' to {sizes[-1]:g}' if len(sizes) > 1 else ''} micrometres at {one.value}."
        yield finding([one], "magnification-of-the-set", "fine" if fits else "unlikely", why)


def _public(one: Claim) -> bool:
    """Whether the split is one that the set itself has, or the whole set."""
    if one.dataset not in registry.entries() or one.dataset == "synthetic":
        return False
    return one.split == "all" or (one.split not in ("none", "unstated", "val") and not drawn_by_authors(one.dataset))


def _no_files(one: Claim) -> str:
    return f"The files of {one.dataset}{'' if one.split == 'all' else f', {one.split},'} could not be had."


def _found(one: Claim, real: Part) -> dict[str, int]:
    """What the files hold of it, by the way of counting; empty where they do not tell."""
    if one.metric == "images":
        return {"images": real.images}
    if one.metric in ("nuclei", "glands"):
        return {name: real.objects[name] for name in COUNTED if name in real.objects}
    number = len(real.organs if one.metric == "organs" else real.patients)
    return {one.metric: number} if number else {}


def _held_out(claims: Sequence[Claim], one: Claim) -> int:
    """Validation images that the paper may have taken from this training split."""
    held = [other for other in counts(claims, one.metric, one.dataset, "val") if one.split == "train"]
    return amount(held[0]) if held else 0


def _compared(one: Claim, found: dict[str, int], held_out: int) -> Finding:
    low, high = one.interval or (0, 0)
    if any(low <= number - taken <= high for number in found.values() for taken in {0, held_out}):
        return finding([one], "counts-of-the-set", "fine", f"The files hold {next(iter(found.values())):,}.")
    ways = ", ".join(f"{number:,} {_WAYS.get(way, way)}" for way, number in found.items())
    why = f"{one.value} {one.metric}, while the files hold {ways}"
    about = (one.dataset, one.split, one.metric)
    for told in known()["published"]:
        if (told["dataset"], told["split"], told["metric"]) == about:
            own = f"the organisers' own number is {told['value']:,}"
            why += f"; {own}{', which the paper repeats' if low <= told['value'] <= high else ''}"
    fewer = one.metric == "images" and high < min(found.values())
    severity = "unlikely" if fewer else "inconsistent"
    return finding([one], "counts-of-the-set", severity, f"{why}; {_VERSIONS}.{_by_split(one)}")


def _by_split(one: Claim) -> str:
    """For organs of a whole set: what its parts have, which is what a paper may have meant."""
    if one.metric != "organs" or one.split != "all":
        return ""
    parts = {name: part(one.dataset, name) for name in ("train", "test")}
    told = [f"{len(real.organs)} in {name}" for name, real in parts.items() if real and real.organs]
    return f" There are {' and '.join(told)}, not all the same." if len(told) == 2 else ""


def _organs(one: Claim) -> tuple[str, ...]:
    """The organs that a claim names, in the words of the facts: a list of them, or the part that a row is about."""
    if one.metric in COMPARING:
        return ()
    text = one.value.lower() if one.metric == "organ" else one.group.lower()
    named = [word for word in _ORGANS if re.search(rf"\b{word}\b", text)]
    return tuple(dict.fromkeys(_ORGANS[word] for word in named))


def _first_of_each(claims: Any) -> list[Claim]:
    """One claim for each row: an organ's four scores name it once."""
    return list({one.row: one for one in reversed(list(claims))}.values())[::-1]


@cache
def _tiles(dataset: str) -> tuple[dict[str, str], ...]:
    """The tiles of MoNuSeg or Kumar, each with the organ that its barcode names, empty where the site is not known."""
    sites = known()["sites"]
    with (data_dir() / "facts" / "monuseg_tiles.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if dataset == "monuseg" or row["set"] == "train"]
    for row in rows:
        project = sites["projects"].get(row["tile"].split("-")[1], "")
        row["by_barcode"] = sites["organs"].get(project, "")
    return tuple(rows)
