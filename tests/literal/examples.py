"""Hand-made pairs of maps and what they score (two empty maps count 1), counted mask by mask."""

from fractions import Fraction as F

from tests.literal.maps import grid

BLOCK, NONE = "0000/0110/0110/0000", "0000/0000/0000/0000"

_SCORES = (
    *("dice", "iou", "precision", "recall", "aji", "aji_plus", "dice2", "tp_fp_fn", "dq", "sq", "pq"),
    *("gland_tp_fp_fn", "gland_f1", "object_dice", "ap50", "ap50_strict", "ap75"),
)


def _pair(true, pred, *scores):
    return grid(true), grid(pred), dict(zip(_SCORES, scores, strict=True))


def _all(score, counts):
    return (score,) * 7 + (counts,) + (score,) * 3 + (counts,) + (score,) * 5


EXAMPLES = {
    "IoU exactly 1/2, and a gap": _pair(
        "11000/11022/00022/33000/33000",
        "11100/11102/00002/00000/00444",
        *(F(12, 23), F(6, 17), F(6, 11), F(1, 2), F(6, 17), F(6, 17), F(3, 4)),
        *((1, 2, 2), F(1, 3), F(2, 3), F(2, 9), (1, 2, 2), F(1, 3), F(259, 495), F(1, 2), F(1, 5), 0),
    ),
    "one prediction over two": _pair(
        "11022/11022/11022/00000",
        "11111/11111/11111/00000",
        *(F(8, 9), F(4, 5), F(4, 5), 1, F(2, 5), F(2, 7), F(4, 7)),
        *((0, 1, 2), 0, 0, 0, (1, 0, 1), F(2, 3), F(4, 7), 0, 0, 0),
    ),
    "equal halves": _pair(
        "1111/1111/0000/0000",
        "2233/2233/0000/0000",
        *(1, 1, 1, 1, F(1, 3), F(1, 3), F(2, 3)),
        *((0, 2, 1), 0, 0, 0, (0, 2, 1), 0, F(2, 3), F(1, 2), 0, 0),
    ),
    "two pairs against one": _pair(
        "2220/1111/1110/1110",
        "1110/1111/1110/2220",
        *(1, 1, 1, 1, F(5, 13), F(3, 10), F(13, 23)),
        *((1, 1, 1), F(1, 2), F(7, 13), F(7, 26), (1, 1, 1), F(1, 2), F(109, 169), F(1, 3), F(1, 3), 0),
    ),
    "prediction mostly on background": _pair(
        "11000/11000/00000/00000",
        "00000/01110/00000/00000",
        *(F(2, 7), F(1, 6), F(1, 3), F(1, 4), F(1, 6), F(1, 6), F(2, 7)),
        *((0, 1, 1), 0, 0, 0, (0, 1, 1), 0, F(2, 7), 0, 0, 0),
    ),
    "disc and ring": _pair(
        "11111/11111/11111/11111/11111",
        "11111/10001/10001/10001/11111",
        *(F(32, 41), F(16, 25), 1, F(16, 25), F(16, 25), F(16, 25), F(32, 41)),
        *((1, 0, 0), 1, F(16, 25), F(16, 25), (1, 0, 0), 1, F(32, 41), 1, 1, 0),
    ),
    "no overlap": _pair(
        "11000/11000/00000/00000/00002",
        "00000/00000/00700/00000/00000",
        *_all(0, (0, 1, 2)),
    ),
    "equal IoU, different sizes": _pair(
        "1110/0000/0000",
        "5888/0008/0008",
        *(F(2, 3), F(1, 2), F(1, 2), 1, F(1, 8), F(2, 7), F(1, 2)),
        *((0, 2, 1), 0, 0, 0, (1, 1, 0), F(2, 3), F(1, 2), 0, 0, 0),
    ),
    "both empty": _pair(NONE, NONE, *_all(1, (0, 0, 0))),
    "no true object": _pair(NONE, BLOCK, *_all(0, (0, 1, 0))),
    "no prediction": _pair(BLOCK, NONE, *_all(0, (0, 0, 1))),
    "identical": _pair(BLOCK, BLOCK, *_all(1, (1, 0, 0))),
}
