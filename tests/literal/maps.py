"""Pairs of small instance maps for property tests, and the hand-made ones of the chapters."""

import numpy as np
from hypothesis import strategies as st

GAPS = np.array([0, 3, 4, 255, 256, 70_000, 2**31 + 7, 2**40])


def grid(text):
    """``"110/002"`` -> 2 x 3 array."""
    return np.array([[int(digit) for digit in row] for row in text.split("/")])


@st.composite
def label_maps(draw, shape):
    """One map: empty, full, noise, rectangles over one another, or a single pixel."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["empty", "full", "noise", "rectangles", "pixel"]))
    labels = np.zeros(shape, np.int64)
    if kind == "full":
        labels = rng.integers(1, 4, shape)
    elif kind == "noise":
        labels = rng.integers(0, 4, shape)
    elif kind == "rectangles":  # touching, nested, cut in two by a later one
        for number in rng.permutation(np.arange(1, 7)):
            top, left = rng.integers(0, shape[0]), rng.integers(0, shape[1])
            labels[top : top + rng.integers(1, 5), left : left + rng.integers(1, 5)] = number
    elif kind == "pixel":
        labels[rng.integers(0, shape[0]), rng.integers(0, shape[1])] = 1
    return labels


@st.composite
def pairs(draw):
    """True and predicted map: unrelated, equal, shifted, merged, or split; then disguised (see `disguise`)."""
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    true = draw(label_maps(shape))
    relation = draw(st.sampled_from(["unrelated", "unrelated", "equal", "shifted", "merged", "split"]))
    if relation == "unrelated":
        pred = draw(label_maps(shape))
    elif relation == "equal":
        pred = true.copy()
    elif relation == "shifted":
        pred = np.roll(true, draw(st.integers(-2, 2)), axis=draw(st.integers(0, 1)))
    elif relation == "merged":
        pred = (true + 1) // 2
    else:
        columns = np.arange(shape[1])[None, :]
        pred = np.where(true > 0, (2 * true + columns % 2) % 7, 0)
    return disguise(draw, true), disguise(draw, pred)


def disguise(draw, labels):
    """The same map with gaps in its ids, another dtype, or memory that is not contiguous."""
    how = draw(st.sampled_from(["plain", "gaps", "uint16", "uint8", "bool", "strided", "fortran", "reversed"]))
    if how == "gaps":
        return GAPS[labels]
    if how in ("uint16", "uint8", "bool"):
        return labels.astype(how)
    if how == "strided":
        return np.repeat(np.repeat(labels, 2, axis=0), 3, axis=1)[::2, ::3]
    if how == "fortran":
        return np.asfortranarray(labels)
    if how == "reversed":
        return labels[::-1, ::-1].copy()[::-1, ::-1]
    return labels
