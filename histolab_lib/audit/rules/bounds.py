"""What some scores allow another one to be: exact intervals, each proved at the rule that uses it.

All arguments are fractions between 0 and 1. Where numbers are means over images, over patches or over groups of images,
a function of the name alone holds for every choice of weights; ``..._pooled`` is for scores of all pixels (or all
objects) taken together.
"""

from fractions import Fraction

from histolab_lib.audit.intervals import Interval

__all__ = [
    "at_least",
    "at_most",
    "background",
    "f1",
    "f1_pooled",
    "jaccard",
    "jaccard_of_rates",
    "jaccard_of_rates_pooled",
    "jaccard_pooled",
    "least_variance",
    "pq",
    "pq_pooled",
]

_ZERO, _ONE = Fraction(0), Fraction(1)


def jaccard(dice: Interval, images: int | None = None) -> Interval:
    """Return where a mean IoU lies, given the mean Dice, of `images` images that count alike (None: weights unknown).

    Examples
    --------
    >>> jaccard(Interval.of("0.8"))
    Interval(low=Fraction(2, 3), high=Fraction(4, 5))
    >>> jaccard(Interval.of("0.8"), images=1).high
    Fraction(2, 3)
    """
    if images is None:
        return Interval(_jaccard(dice.low), dice.high)
    ones, rest = divmod(images * dice.high, 1)
    return Interval(_jaccard(dice.low), (ones + _jaccard(rest)) / images)


def jaccard_pooled(dice: Interval) -> Interval:
    """Return what the pooled IoU is, given the pooled Dice.

    Examples
    --------
    >>> jaccard_pooled(Interval.of("0.8"))
    Interval(low=Fraction(2, 3), high=Fraction(2, 3))
    """
    return Interval(_jaccard(dice.low), _jaccard(dice.high))


def f1(precision: Interval, recall: Interval) -> Interval:
    """Return where a mean F1 lies, given mean precision and mean recall.

    Examples
    --------
    >>> f1(Interval.of("0.9"), Interval.of("0.6"))
    Interval(low=Fraction(1, 2), high=Fraction(18, 25))
    """
    return Interval(_excess(precision, recall), _harmonic(precision.high, recall.high))


def f1_pooled(precision: Interval, recall: Interval) -> Interval:
    """Return what the pooled F1 is, given pooled precision and recall; 0 where both are.

    Examples
    --------
    >>> f1_pooled(Interval.of(0), Interval.of(0))
    Interval(low=Fraction(0, 1), high=Fraction(0, 1))
    """
    return Interval(_harmonic(precision.low, recall.low), _harmonic(precision.high, recall.high))


def jaccard_of_rates(precision: Interval, recall: Interval) -> Interval:
    """Return where a mean IoU lies, given mean precision and mean recall.

    Examples
    --------
    >>> jaccard_of_rates(Interval.of("0.9"), Interval.of("0.6"))
    Interval(low=Fraction(1, 2), high=Fraction(3, 5))
    """
    return Interval(_excess(precision, recall), min(precision.high, recall.high))


def jaccard_of_rates_pooled(precision: Interval, recall: Interval) -> Interval:
    """Return what the pooled IoU is, given pooled precision and recall.

    Examples
    --------
    >>> jaccard_of_rates_pooled(Interval.of("0.5"), Interval.of(1))
    Interval(low=Fraction(1, 2), high=Fraction(1, 2))
    """
    return jaccard_pooled(f1_pooled(precision, recall))


def at_most(bound: Interval) -> Interval:
    """Return all scores that are not above the bound."""
    return Interval(_ZERO, bound.high)


def at_least(bound: Interval) -> Interval:
    """Return all scores that are not below the bound."""
    return Interval(bound.low, _ONE)


def pq(dq: Interval, sq: Interval) -> Interval:
    """Return where a mean PQ lies, given mean DQ and mean SQ.

    Examples
    --------
    >>> pq(Interval.of("0.8"), Interval.of("0.7"))
    Interval(low=Fraction(1, 2), high=Fraction(7, 10))
    """
    return Interval(max(dq.low / 2, _excess(dq, sq)), max(dq.low / 2, min(dq.high, sq.high)))


def pq_pooled(dq: Interval, sq: Interval) -> Interval:
    """Return what the pooled PQ is, given pooled DQ and SQ."""
    return dq * sq


def least_variance(dice: Interval, iou: Interval) -> Fraction:
    """Return the least variance of Dice between images that gives this mean Dice and at least this mean IoU.

    Examples
    --------
    >>> least_variance(Interval.of("0.8"), Interval.of("0.7"))
    Fraction(3, 125)
    >>> least_variance(Interval.of("0.8"), Interval.of("0.6"))
    Fraction(0, 1)
    """
    gap = iou.low - _jaccard(dice.high)
    return max(_ZERO, gap * (2 - dice.high) ** 2 / 2)


def background(dice: Interval, iou: Interval) -> Fraction | None:
    """Return the largest share of background if the IoU were a mean of that of foreground and background, both pooled.

    None where no share would do.

    Examples
    --------
    >>> float(background(Interval.of("0.952"), Interval.of("0.7106")))
    0.171...
    """
    foreground = _jaccard(dice.low)
    other = min(_ONE, 2 * iou.high - foreground)
    if other < 0 or foreground == 1:
        return None
    return (1 - foreground) / (1 - foreground * other)


def _jaccard(dice: Fraction) -> Fraction:
    return dice / (2 - dice)


def _harmonic(a: Fraction, b: Fraction) -> Fraction:
    return 2 * a * b / (a + b) if a + b else _ZERO


def _excess(a: Interval, b: Interval) -> Fraction:
    return max(_ZERO, a.low + b.low - 1)
