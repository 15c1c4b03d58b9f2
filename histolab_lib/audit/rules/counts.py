"""Rules on how many images: parts of a whole, test sets, enlarged sets."""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.real import part
from histolab_lib.audit.rules.rows import (
    about_set,
    about_windows,
    amount,
    counts,
    enlarged,
    of_each_image,
    quoted,
    whole,
)
from histolab_lib.claims import Claim

__all__ = ["enlarged_by_whole_factor", "iterations_as_epochs", "parts_and_whole", "size_of_test_set"]

# What an iteration count may be of, beside the whole training.
_PART_OF_TRAINING = re.compile(r"epoch|warm|pre-?train|decay|cycle", re.IGNORECASE)
_OF_AN_EPOCH = r"iterations? (per|in|of|for|an|each|every|make)\b.*epoch"


@rule(
    "parts-and-whole",
    title="Do training, validation and test images add up to the set?",
    assumes="The parts share no image; for too few, that none was left out on purpose.",
)
def parts_and_whole(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** Parts $T_1, \dots, T_k$ of a set $S$ without common elements have $\sum_i |T_i| \le |S|$, and
    equality where they are all of it.

    **Derivation.** Counting. The parts are those that one place of the paper names (training and test, with
    validation where it is told, which may also be meant as part of the training images); the whole is what the same
    place, else the paper, calls the set.

    **How sure.** More than the whole is `inconsistent`: an image is in two parts, or a number is wrong. Fewer is
    `inconsistent` where the sentence itself gives the rest to a part ("the remaining 25 images"), since nothing then
    is left over; otherwise `unlikely`, because images may be left out.

    **False alarms.** None of sets that are divided without rest, whether validation is told beside the training images
    or among them. Nearly all papers that leave images out without saying so.
    """
    locations = dict.fromkeys(one.location for one in claims)
    sets: dict[str, dict[str, list[Claim]]] = {one.dataset: {} for one in claims}
    for own in sets.values():
        own |= {location: [] for location in locations}
    for one in claims:
        sets[one.dataset][one.location].append(one)
    for metric, dataset in product(("images", "patches", "nuclei", "glands"), sets):
        wholes = list(counts(claims, metric, dataset, "all"))
        for here in sets[dataset].values():
            if parts := _parts(here, metric, dataset):
                yield from _added(parts, list(counts(here, metric, dataset, "all")) or wholes)


@rule(
    "test-set-size",
    title="Does the test set have more images than there are?",
    assumes="A test image counts once, however often it is turned.",
)
def size_of_test_set(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** A test set of $m$ images drawn from a set of $n$ has $m \le n$, and where the paper says how many
    it drew, $m$ is that number.

    **Derivation.** Counting. A larger test set holds copies: turned or mirrored versions, scored as images of their
    own. The mean over them is not the mean over images, and an interval computed from them is too narrow by up to
    $\sqrt{m/n}$, because copies are not independent.

    **How sure.** `inconsistent`: both numbers are printed, or the set's own is counted in its files. Looked at are
    the split as it is and what the row calls augmented; windows cut from an image are no images of their own.
    """
    for one in claims:
        cut = about_windows(one) and not about_set(one)
        if one.metric == "images" and one.split.startswith("test") and not cut and (number := whole(one)):
            drawn = [other for other in counts(claims, "images", one.dataset, one.split) if other is not one]
            real = part(one.dataset, "all")
            if drawn and enlarged(one) and number > max(map(amount, drawn)):
                yield _copies(claims, one, drawn)
            elif real and number > real.images:
                why = (
                    f"{one.value} test images, while the whole set has {real.images}; the rest can only be copies, or "
                    "from another version of the set."
                )
                yield finding([one], "test-set-size", "inconsistent", why)
            elif real or (drawn and (about_set(one) or enlarged(one))):
                yield finding([one], "test-set-size", "fine", "No more test images than there are.")


@rule(
    "enlarged-by-whole-factor",
    title="How often does augmentation count each training image?",
    assumes="Where the paper says how many crops an image gives, every version of every image gives so many.",
)
def enlarged_by_whole_factor(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** An enlarged set of $N$ images made from $n$ has $N \ge n$, and $c \mid N$ where every version of
    every image gives $c$ crops.

    **Derivation.** Counting: $N = \sum_v c = c\,V$ over $V$ versions. $n \mid N$ is not needed, since versions may be
    drawn at random; where it holds, $N/n$ is the number of versions of each image, and where several splits are
    printed it tells which one was enlarged.

    **How sure.** Fewer than $n$, or no multiple of $c$: `unlikely`.

    **False alarms.** None of sets enlarged by whole versions and crops. A few where "augmented" means the added images
    alone, most where uncut images are counted with their crops.
    """
    for one in claims:
        if one.metric == "images" and one.split == "train" and enlarged(one) and (number := whole(one)):
            sources = list(counts(claims, "images", one.dataset, one.split))
            crops = [c for c in claims if c.metric == "patches" and of_each_image(c) and c.dataset == one.dataset]
            if sources:
                yield _enlarged(one, number, sources, [c for c in crops if whole(c)])


@rule(
    "iterations-as-epochs",
    title="Are iterations steps or epochs?",
    assumes="An iteration is one step of the optimiser on one batch, as in most libraries.",
)
def iterations_as_epochs(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** $E$ iterations with batches of $b$ see $E b$ images: a set of $N$ images $E b / N$ times.

    **Derivation.** Counting. Looked at only where the number's own sentence calls it iterations, and not those of an
    epoch or of warming up; of several sets, the one that is seen the fewest times.

    **How sure.** `unlikely` that steps are meant where they see the set fewer than ten times; epochs are the other
    reading, and the finding says what either means. Fine-tuning can be that short, so that this asks and does not
    accuse.

    **False alarms.** Of trainings as long as those of the five papers about one in a hundred; of fine-tuning for fewer
    than ten passes all.
    """
    for one in claims:
        if not whole(one) or not _called_iterations(one):
            continue
        batches = [b for b in claims if b.metric == "batch_size" and one.dataset in (b.dataset, "none") and whole(b)]
        images = [c for c in claims if (c.metric, c.split) == ("images", "train") and whole(c)]
        images = [c for c in images if about_set(c) or enlarged(c)]
        pairs = [(batch, image) for batch in batches for image in images if image.dataset == batch.dataset]
        if pairs:
            batch, image = min(pairs, key=lambda pair: Fraction(amount(pair[0]), amount(pair[1])))
            times = amount(one) * amount(batch) / amount(image)
            why = (
                f"{one.value} steps of {batch.value} images see the {image.value} training images {times:.1f} times. "
                f"As epochs, they would see them {one.value} times."
            )
            yield finding([one, batch, image], "iterations-as-epochs", "unlikely" if times < 10 else "fine", why)


def _called_iterations(one: Claim) -> bool:
    """Whether the number is how long training takes, and is called iterations."""
    said, number = quoted(one).lower().replace(",", ""), re.escape(one.value.lower().replace(",", ""))
    if one.metric == "epochs":
        return bool(re.search(rf"\b{number} (\w+ )?iterations?\b", said))
    if one.metric != "iterations" or one.split != "train" or _PART_OF_TRAINING.search(one.row):
        return False
    return not re.search(rf"\b(every|each|first|last) {number}\b|epoch (has|is|of|with|consists)|{_OF_AN_EPOCH}", said)


def _parts(here: Sequence[Claim], metric: str, dataset: str) -> list[Claim]:
    """Training and test, validation where it is told; nothing where one of the two is missing or told twice."""
    found = {split: list(counts(here, metric, dataset, split)) for split in ("train", "val", "test", "testA", "testB")}
    tests = found["test"] or found["testA"] + found["testB"]
    wanted = 1 if found["test"] else 2
    if len(found["train"]) != 1 or len(found["val"]) > 1 or len(tests) != wanted:
        return []
    return found["train"] + found["val"] + tests


def _added(parts: list[Claim], wholes: list[Claim]) -> Iterator[Finding]:
    if not wholes:
        return
    apart = [one for one in parts if one.split != "val"]
    fitting = [(some, one) for some in (parts, apart) for one in wholes if sum(map(amount, some)) == amount(one)]
    if fitting:
        some, one = fitting[0]
        none = "" if any(part.split == "val" for part in parts) else "; no images for validation are told here"
        yield finding([*some, one], "parts-and-whole", "fine", f"{_sum(some)}, as the whole{none}.")
        return
    # Validation images may be counted among the training images, too: too many are only those that are so without them.
    total, least = sum(map(amount, parts)), sum(map(amount, apart))
    nearest = min(wholes, key=lambda one: abs(amount(one) - total))
    missing = amount(nearest) - total
    used_up = any("remaining" in quoted(one).lower() or "the rest" in quoted(one).lower() for one in parts)
    if least > amount(nearest):
        severity, why = "inconsistent", f"{least - amount(nearest):,} more than the {nearest.value} of the whole"
    elif missing < 0:
        severity, why = "unlikely", f"{-missing:,} more than the {nearest.value} of the whole, unless parts overlap"
    elif used_up:
        severity, why = "inconsistent", f"but a part is called what remains of {nearest.value}: {missing:,} are missing"
    else:
        severity, why = "unlikely", f"{missing:,} fewer than the {nearest.value} of the whole"
    some = apart if severity == "inconsistent" and missing < 0 else parts
    yield finding([*some, nearest], "parts-and-whole", severity, f"{_sum(some)}, {why}.")


def _sum(parts: list[Claim]) -> str:
    return f"{' + '.join(one.value for one in parts)} = {sum(map(amount, parts)):,}"


def _copies(claims: Sequence[Claim], one: Claim, drawn: list[Claim]) -> Finding:
    number = amount(one)
    told = ", ".join(f"{other.value} ({other.location})" for other in drawn)
    fits = [other for other in drawn if number % amount(other) == 0]
    factors = {number // amount(other) for other in fits}
    trained = [
        (big, small)
        for big in claims
        if big.metric == "images" and big.dataset == one.dataset and big.split == "train" and enlarged(big)
        for small in counts(claims, "images", one.dataset, "train")
        if whole(big) and amount(big) % amount(small) == 0 and amount(big) // amount(small) in factors
    ]
    why = f"{one.value} test images, while {told} were drawn"
    if trained:
        big, small = trained[0]
        factor = amount(big) // amount(small)
        why += f": {factor} versions of each, as {big.value} training images are {factor} of each of {small.value}"
    why += ". Turned copies of a test image are no further test images."
    pair = list(trained[0]) if trained else []
    return finding([one, *drawn, *pair], "test-set-size", "inconsistent", why)


def _enlarged(one: Claim, number: int, sources: list[Claim], crops: list[Claim]) -> Finding:
    smallest = min(map(amount, sources))
    involved = [one, *sources, *crops]
    if number < smallest:
        why = f"An enlarged set of {one.value} images is smaller than the {smallest} that it was made from."
        return finding(involved, "enlarged-by-whole-factor", "unlikely", why)
    if bad := [crop for crop in crops if number % amount(crop)]:
        why = f"{one.value} images are no multiple of the {bad[0].value} crops that each version of an image gives."
        return finding(involved, "enlarged-by-whole-factor", "unlikely", why)
    each = {source.value: number // amount(source) for source in sources if number % amount(source) == 0}
    said = " and ".join(f"{factor} for each of {source}" for source, factor in each.items())
    if crops and said and all(factor % amount(crops[0]) == 0 for factor in each.values()):
        said += f", {crops[0].value} crops of each version"
    others = sorted({source.value for source in sources} - set(each))
    why = f"{one.value} images are {said}" if said else f"{one.value} images are no whole number for each image"
    why += f"; not a whole number for each of {', '.join(others)}." if said and others else "."
    return finding(involved, "enlarged-by-whole-factor", "fine", why)
