"""Rules on windows: how many patches a set of images can give, and which images validation patches were cut from."""

from collections.abc import Iterator, Sequence

from histolab_lib.audit.finding import Finding, finding
from histolab_lib.audit.registry import rule
from histolab_lib.audit.rules.grids import Grid, ranges
from histolab_lib.audit.rules.real import part
from histolab_lib.audit.rules.rows import about_windows, amount, counts, of_each_image, quoted, whole
from histolab_lib.claims import Claim

__all__ = ["patches_by_windows", "validation_from"]


@rule(
    "patches-by-windows",
    title="Can windows of this size and step give so many patches?",
    assumes="All images of the split are cut on one grid of one step, before any enlargement by a whole factor.",
)
def patches_by_windows(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** A grid of windows $w$ at step $s$ on an image of $H \times W$ has $a(H)\,a(W)$ windows, with
    $a(L) = \lfloor (L - w)/s \rfloor + 1$ where the ragged border is dropped, and at most one more to a side where the
    last window is shifted inside or padded. $n$ images give $N = \sum_i a(H_i)\,a(W_i)$ patches, and $m N$ after each
    was kept in $m$ versions.

    **Derivation.** Counting, with `patches.positions` for each of the three borders. Where a paper says how many
    patches one image gives, that number takes the place of $a(H)\,a(W)$; where the same sentence gives the sizes of
    image and patch, it is compared with them first.

    **How sure.** Fewer than that is never accused: patches may be left out, or held back for validation. A number
    above what every border gives at the printed step, and no whole multiple of it, is `inconsistent` if another step
    gives it exactly: then the images were cut with overlap. By chance a number is hit so rarely (of the numbers up to
    5,000, 12 can be had from 30 tiles of 1000 px with windows of 256 px, that is 0.24 %). If no step does, it is
    `unlikely`, and fine where the validation patches of the same place make it a whole multiple: then the set was
    enlarged first and divided afterwards.

    **False alarms.** Of windows on one grid, all kept or fewer, in whole multiples or not, none is accused, as
    counting says and the measurement shows. Where a set was enlarged first, and what was held back is not printed, most
    are.
    """
    for one in claims:
        if one.metric != "patches" or not whole(one):
            continue
        if of_each_image(one):
            yield from _of_one(claims, one)
        elif images := next(counts(claims, "images", one.dataset, one.split), None):
            yield from _windows(claims, one, amount(one), images)


@rule(
    "validation-from",
    title="Which images were the validation patches cut from?",
    assumes="Validation patches come from the training images; every window of one grid is kept, and kept once.",
)
def validation_from(claims: Sequence[Claim]) -> Iterator[Finding]:
    r"""**Statement.** If all windows of $n$ training images are split into training and validation patches, by patch or
    by image, $N_\text{train} + N_\text{val}$ is a total that some step and border give on these $n$ images.

    **Derivation.** A split moves windows, it makes none. All steps from 1 px to the longest side are tried with all
    three borders (larger steps change nothing). If no total fits, the test images are tried as the source of the
    validation patches: one step that gives $N_\text{train}$ on the training and $N_\text{val}$ on the test images.

    **How sure.** `inconsistent` only if the first is excluded and the second fits exactly: then the counts are those
    of training tiles and of test tiles. `unlikely` if the first is excluded and nothing else fits.

    **False alarms.** None where every window is kept, and kept once. Where patches were left out for what they show, or
    the training patches alone were enlarged, nearly all, since few of all totals are reached (from 30 tiles of
    1000 px with windows of 256 px, 12 of those up to 5,000): the finding asks which of these it was.
    """
    for training in (one for one in claims if one.metric == "patches" and one.split == "train" and whole(one)):
        for held in (one for one in claims if one.metric == "patches" and one.split == "val" and whole(one)):
            if (held.dataset, held.location) == (training.dataset, training.location):
                yield from _sources(claims, training, held)


def _sizes(claims: Sequence[Claim], dataset: str, split: str, images: int) -> dict[tuple[int, int], int] | None:
    """How many images have each size: the one size that the paper states, else what the files hold."""
    stated = {
        metric: {amount(one) for one in claims if one.metric == metric and one.dataset == dataset and not one.row}
        for metric in ("height_px", "width_px")
    }
    if all(len(values) == 1 for values in stated.values()):
        return {(stated["height_px"].pop(), stated["width_px"].pop()): images}
    real = part(dataset, split)
    return dict(real.sizes_px) if real and real.images == images else None


def _grid(claims: Sequence[Claim], patches: Claim, images: int, split: str) -> Grid | None:
    sizes = _sizes(claims, patches.dataset, split, images)
    window = []
    for metric in ("height_px", "width_px"):
        told = [one for one in claims if one.metric == metric and one.dataset in (patches.dataset, "none")]
        beside = [one for one in told if (one.location, one.row) == (patches.location, patches.row) and one.row]
        named = [one for one in told if about_windows(one) and one.row]
        window += sorted({amount(one) for one in beside or named})
    return Grid(sizes, (window[0], window[1])) if sizes and len(window) == 2 and min(window) > 0 else None


def _windows(claims: Sequence[Claim], patches: Claim, total: int, images: Claim) -> Iterator[Finding]:
    number = amount(images)
    near = [one for one in claims if one.dataset in (patches.dataset, "none") and whole(one)]
    each = [one for one in near if one.metric == "patches" and of_each_image(one)]
    steps = [one for one in near if one.metric == "stride_px" and about_windows(one)]
    grid = _grid(claims, patches, number, patches.split)
    by = f"{patches.value} patches from {images.value} images"
    if each:
        factor, rest = divmod(total, number * amount(each[0]))
        kind = "no whole multiple" if rest and factor else "fewer" if rest else f"{factor} times as many"
        why = f"{by}, with {each[0].value} of each: {kind} of {number * amount(each[0]):,}."
        why = why.replace("fewer of", "fewer than").replace("1 times as many of", "exactly") + _overlap(grid, each[0])
        yield finding([patches, images, each[0]], "patches-by-windows", "unlikely" if rest and factor else "fine", why)
    elif grid and steps:
        yield _at_step(grid, patches, images, steps[0], _held_back(claims, patches))
    elif grid and (possible := grid.steps(total)):
        why = f"{by}: a step of {ranges(possible)} gives them."
        yield finding([patches, images], "patches-by-windows", "fine", why)


def _overlap(grid: Grid | None, each: Claim) -> str:
    """Whether the windows of an image are larger than it is, so that some pixels are in several."""
    if grid is None or len(grid.images) != 1:
        return ""
    ((height, width),) = grid.images
    excess = amount(each) * grid.window_px[0] * grid.window_px[1] - height * width
    return f" Those of one image have {excess:,} pixels more than it: they overlap." if excess > 0 else ""


def _of_one(claims: Sequence[Claim], patches: Claim) -> Iterator[Finding]:
    """What one image gives, where the sentence that says so gives the sizes of image and patch, too."""
    same = [one for one in claims if one.location == patches.location and quoted(one) == quoted(patches) != ""]
    sides = {
        (kind, metric): [one for one in same if one.metric == metric and kind in one.row.lower()]
        for kind in ("image", "patch")
        for metric in ("height_px", "width_px")
    }
    if any(len(told) != 1 for told in sides.values()):
        return
    height, width, *window = (amount(told[0]) for told in sides.values())
    possible = Grid({(height, width): 1}, (window[0], window[1])).steps(amount(patches))
    said = f"{patches.value} patches of {window[1]} x {window[0]} px from {width} x {height}"
    why = f"{said}: a step of {ranges(possible)} gives them." if possible else f"{said}: no step of a grid gives them."
    involved = [patches, *(told[0] for told in sides.values())]
    yield finding(involved, "patches-by-windows", "fine" if possible else "unlikely", why)


def _held_back(claims: Sequence[Claim], patches: Claim) -> list[Claim]:
    """The validation patches that the place of the training patches tells of."""
    place = ("patches", "val", patches.dataset, patches.location)
    told = [one for one in claims if (one.metric, one.split, one.dataset, one.location) == place and whole(one)]
    return told if patches.split == "train" else []


def _at_step(grid: Grid, patches: Claim, images: Claim, step: Claim, held: list[Claim]) -> Finding:
    total = amount(patches)
    at = {grid.total(amount(step), border) for border in ("drop", "shift", "pad")} - {0}
    involved = [patches, images, step]
    given = " or ".join(f"{one:,}" for one in sorted(at))
    if not at or total <= max(at) or any(total % one == 0 for one in at):
        return finding(involved, "patches-by-windows", "fine", f"A step of {step.value} px gives {given}, or fewer.")
    if len(held) == 1 and any((total + amount(held[0])) % one == 0 for one in at):
        why = (
            f"With {held[0].value} for validation a whole multiple of {given}, as a step of {step.value} px gives them."
        )
        return finding([*involved, held[0]], "patches-by-windows", "fine", why)
    why = (
        f"Windows of {grid.window_px[1]} x {grid.window_px[0]} px at the printed step of {step.value} px are {given} "
        f"on {images.value} images, and {patches.value} is more and no whole multiple; "
    )
    if possible := grid.steps(total):
        why += f"with overlap, a step of {ranges(possible)} gives exactly that."
        return finding(involved, "patches-by-windows", "inconsistent", why)
    why += "no step gives exactly that. Enlarging the set and holding some back could."
    return finding(involved, "patches-by-windows", "unlikely", why)


def _sources(claims: Sequence[Claim], training: Claim, held: Claim) -> Iterator[Finding]:
    dataset, together = training.dataset, amount(training) + amount(held)
    learned = next(counts(claims, "images", dataset, "train"), None)
    tested = next(counts(claims, "images", dataset, "test"), None)
    if not learned or any(counts(claims, "images", dataset, "val")):
        return
    grid = _grid(claims, training, amount(learned), "train")
    if not grid:
        return
    sum_of = f"{training.value} + {held.value} = {together:,} patches"
    if possible := grid.steps(together):
        why = f"{sum_of} from {learned.value} images: a step of {ranges(possible)} gives them."
        yield finding([training, held, learned], "validation-from", "fine", why)
        return
    involved = [training, held, learned, *([tested] if tested else [])]
    other = _grid(claims, training, amount(tested), "test") if tested else None
    both = _common(grid, amount(training), other, amount(held)) if other else {}
    no_step = f"{sum_of}: no step gives so many on {learned.value} training images"
    if both and tested:
        why = (
            f"{no_step}, but a step of {ranges(both)} gives {training.value} on them and {held.value} on the "
            f"{tested.value} test images. The counts are those of a validation set that was cut from the test images."
        )
        yield finding(involved, "validation-from", "inconsistent", why)
        return
    why = f"{no_step}, unless some were left out, or counted in several versions{_nearest(grid, other, together)}."
    yield finding(involved, "validation-from", "unlikely", why)


def _common(grid: Grid, total: int, other: Grid, held: int) -> dict[str, list[int]]:
    one, two = grid.steps(total), other.steps(held)
    both = {border: [step for step in one[border] if step in two.get(border, ())] for border in one}
    return {border: steps for border, steps in both.items() if steps}


def _nearest(grid: Grid, other: Grid | None, together: int) -> str:
    """What training and test images together would give, where that is within half a percent."""
    if other is None:
        return ""
    sizes = dict(grid.images)
    for size, number in other.images.items():
        sizes[size] = sizes.get(size, 0) + number
    everything = Grid(sizes, grid.window_px)
    near = min(everything.totals().values(), key=lambda total: abs(total - together))
    if abs(near - together) * 200 > together:
        return ""
    steps = ranges(everything.steps(near))
    return f"; training and test images together give {near:,}, {abs(near - together)} off, at a step of {steps}"
