import io

import numpy as np
import pytest
from PIL import Image

from histolab_lib import datasets
from histolab_lib.datasets import kumar, likeness
from histolab_lib.datasets import leaks as module
from histolab_lib.datasets.leaks import Leak, Picture, compare, leaks, notes, pictures
from histolab_lib.datasets.likeness import NEAR_BITS, difference_hash
from histolab_lib.datasets.registry import Entry
from histolab_lib.datasets.sequence import TileSequence
from histolab_lib.tile import Tile

TISSUE = [tile.image for tile in datasets.load("synthetic", "train", n=6, size=128)]
KUMAR_TEST = set(kumar.names("test"))


def jpeg(image, quality):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def resized(image, share):
    height, width = (round(side * share) for side in image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((width, height)))


def bits(a, b):
    """Bits that differ, counted one by one."""
    return sum(bin(x ^ y).count("1") for x, y in zip(difference_hash(a), difference_hash(b), strict=True))


def literal_hash(image):
    """The definition, for sides that the grid divides."""
    height, width = image.shape[0] // 16, image.shape[1] // 17
    grey = np.rint(image @ np.array([299, 587, 114]) / 1000)
    cell = [
        [grey[r * height : (r + 1) * height, c * width : (c + 1) * width].mean() for c in range(17)] for r in range(16)
    ]
    return [cell[r][c + 1] - cell[r][c] for r in range(16) for c in range(16)]


def picture(name, split, patient=None, image=None):
    image = TISSUE[0] if image is None else image
    return Picture(name, split, patient, str(hash(image.tobytes())), difference_hash(image))


class FakeSet:
    """A set of pictures, by split and name, with patients."""

    def __init__(self, content, patients=None):
        self.SPLITS = tuple(content)
        self.content, self.patients = content, patients or {}
        self.GROUP = "patient" if patients else None

    def load(self, split):
        images = self.content[split]

        def read(name):
            empty = np.zeros(images[name].shape[:2], np.int32)
            return Tile(name, images[name], empty, patient=self.patients.get(name))

        return TileSequence(images, read)

    def groups(self, split):
        return {name: self.patients[name] for name in self.content[split]}


@pytest.fixture
def sets(monkeypatch):
    """Replace the sets and the registry by those given, all with files."""

    def put(views=None, **fakes):
        monkeypatch.setattr(module, "modules", lambda: fakes)
        entry = {name: dict.fromkeys(fake.SPLITS, 1) for name, fake in fakes.items()}
        known = {
            name: Entry(name, name, "CC0", "", "", name, splits, True, views=views or {})
            for name, splits in entry.items()
        }
        monkeypatch.setattr(module, "entries", lambda: known)

    return put


# ---- the hash


def test_the_hash_is_what_its_definition_says():
    image = np.random.default_rng(0).integers(0, 256, (64, 17 * 5, 3), dtype=np.uint8)
    steps = literal_hash(image)
    got = np.unpackbits(np.frombuffer(difference_hash(image), np.uint8))
    clear = np.abs(steps) > 1.5  # Pillow rounds the cells to whole grey values
    assert clear.sum() > 200
    np.testing.assert_array_equal(got[clear], (np.array(steps) > 0)[clear])


@pytest.mark.parametrize(
    "change",
    [
        lambda image: jpeg(image, 75),
        lambda image: jpeg(image, 30),
        lambda image: resized(image, 0.5),
        lambda image: resized(image, 0.9),
        lambda image: (255 * (image / 255) ** 1.3).astype(np.uint8),
        lambda image: np.clip(image * np.array([0.85, 1.1, 1.0]) + 8, 0, 255).astype(np.uint8),
        lambda image: image[2:, 2:],
    ],
    ids=["JPEG 75", "JPEG 30", "half", "nine tenths", "gamma", "stain", "cut by 2 %"],
)
def test_the_same_picture_changed_a_little_is_near(change):
    assert max(bits(image, change(image)) for image in TISSUE) <= NEAR_BITS


def test_different_pictures_are_not_near():
    assert min(bits(a, b) for i, a in enumerate(TISSUE) for b in TISSUE[:i]) > NEAR_BITS


@pytest.mark.parametrize("change", [np.fliplr, np.rot90, lambda image: image[10:, 10:]])
def test_what_is_mirrored_turned_or_cut_by_much_is_not_recognised(change):
    assert min(bits(image, np.ascontiguousarray(change(image))) for image in TISSUE) > NEAR_BITS


@pytest.mark.real
def test_no_two_real_pictures_are_near_and_recompressed_ones_are(tissue):
    views, again = [], []
    for name, splits in {"glas": ("train", "testA", "testB"), "tnbc": ("train", "test")}.items():
        for split in splits:
            tiles = datasets.load(name, split)
            for tile in (tiles[i] for i in range(0, len(tiles), 4)):
                views.append(difference_hash(tile.image))
                again.append(bits(tile.image, jpeg(resized(tile.image, 0.5), 50)))
    table = np.array([np.frombuffer(view, np.uint64) for view in views])
    distances = np.bitwise_count(table[:, None] ^ table[None]).sum(axis=-1)[np.triu_indices(len(table), 1)]
    assert len(distances) > 1000
    assert distances.min() > NEAR_BITS + 10
    assert max(again) <= NEAR_BITS


# ---- comparing


def test_the_same_picture_and_a_recompressed_one_are_told_apart():
    found = compare(
        [
            picture("a", "train"),
            picture("b", "train", image=TISSUE[1]),
            picture("c", "test"),
            picture("d", "test", image=jpeg(TISSUE[1], 75)),
        ],
        {},
    )
    assert [(leak.kind, leak.names, leak.splits) for leak in found] == [
        ("same picture", ("a", "c"), ("train", "test")),
        ("near picture", ("b", "d"), ("train", "test")),
    ]
    assert found[0].detail == "a (train) is pixel by pixel c (test)"
    assert found[1].detail.startswith("b (train) is, but for ")


def test_a_patient_on_both_sides_is_told_with_all_tiles():
    sides = [("a", "train", "10"), ("b", "train", "9"), ("c", "test", "9"), ("d", "test", "10"), ("e", "train", "9")]
    found = compare([picture(name, *rest, image=TISSUE[i]) for i, (name, *rest) in enumerate(sides)], {})
    detail = "patient {} is in both: train {}, test {} of the tiles"
    assert found == [
        Leak("same patient", ("b", "e", "c"), ("train", "test"), detail.format(9, 2, 1)),
        Leak("same patient", ("a", "d"), ("train", "test"), detail.format(10, 1, 1)),
    ]


def test_unknown_patients_are_not_the_same():
    assert compare([picture("a", "train"), picture("b", "test", image=TISSUE[1])], {}) == []


@pytest.mark.parametrize(
    ("one", "other", "views", "leak"),
    [
        ("train", "val", {}, True),
        ("val", "test", {}, True),
        ("fold1", "fold2", {}, True),
        ("fit", "train", {"fit": "train"}, False),
        ("fit", "val", {"fit": "train", "val": "train"}, True),
        ("fit", "test", {"fit": "train"}, False),  # train and test are compared, and that is enough
        ("testA", "testB", {}, False),  # nothing is learned or chosen on either
    ],
)
def test_which_splits_are_compared(one, other, views, leak):
    assert bool(compare([picture("a", one), picture("b", other)], views)) == leak


def test_more_pictures_than_one_block_are_all_compared(monkeypatch):
    monkeypatch.setattr(likeness, "_ROWS", 2)
    train = [picture(str(i), "train", image=image) for i, image in enumerate(TISSUE)]
    found = compare([*train, picture("again", "test", image=TISSUE[5])], {})
    assert [leak.names for leak in found] == [("5", "again")]


# ---- sets


def test_a_planted_copy_is_found_in_a_set(sets):
    clean = {"train": {"a": TISSUE[0], "b": TISSUE[1]}, "test": {"c": TISSUE[2]}}
    sets(demo=FakeSet(clean))
    assert leaks("demo") == []
    sets(demo=FakeSet({**clean, "test": {"c": TISSUE[2], "d": TISSUE[1]}}))
    assert [(leak.kind, leak.names) for leak in leaks("demo")] == [("same picture", ("b", "d"))]


def test_every_picture_of_another_set_is_compared_when_asked_for(sets):
    mine = FakeSet({"train": {"a": TISSUE[0]}, "test": {"b": TISSUE[1]}})
    theirs = FakeSet({"train": {"x": jpeg(TISSUE[1], 75), "y": TISSUE[0]}, "test": {"z": TISSUE[3]}})
    sets(demo=mine, other=theirs)
    assert leaks("demo") == []
    found = leaks("demo", against=["other"])
    assert [(leak.kind, leak.names, leak.splits) for leak in found] == [
        ("other set", ("b", "x"), ("demo test", "other train"))
    ]


def test_notes_name_patients_of_the_other_side_and_read_no_picture(sets, monkeypatch):
    patients = {"a": "2", "b": "10", "c": "10", "d": "3", "e": "2"}
    demo = FakeSet({"train": dict.fromkeys("ab"), "test1": dict.fromkeys("c"), "test2": dict.fromkeys("de")}, patients)
    monkeypatch.setattr(FakeSet, "load", lambda *_: pytest.fail("a tile was asked for"))
    sets(demo=demo)
    assert notes("demo", "train") == (
        "1 patients of 'train' are in 'test1', too: 10",
        "1 patients of 'train' are in 'test2', too: 2",
    )
    assert notes("demo", "test1") == ("1 patients of 'test1' are in 'train', too: 10",)


def test_notes_name_tiles_that_are_in_two_splits(sets):
    sets(demo=FakeSet({"train": dict.fromkeys("ab"), "test": dict.fromkeys("b")}, {"a": "1", "b": "2"}))
    assert notes("demo", "test")[0] == "1 tiles are in 'test' and in 'train'"


def test_an_unknown_set_is_an_error():
    with pytest.raises(ValueError, match="unknown data set 'glass', did you mean 'glas'"):
        leaks("glass")
    with pytest.raises(ValueError, match="unknown data set 'glass'"):
        leaks("synthetic", against=["glass"], n=1, size=64)


def test_synthetic_tissue_has_no_leak_between_its_splits():
    found = pictures("synthetic", n=4, size=64)
    assert len(found) == 12
    assert leaks("synthetic", n=4, size=64) == []


# ---- the sets as published


def test_the_test_tiles_of_kumar_are_known_to_be_training_tiles_of_monuseg():
    assert notes("kumar", "test") == ("14 tiles of 'test' of 'kumar' are tiles of 'train' of 'monuseg'",)
    assert notes("monuseg", "train") == ("14 tiles of 'train' of 'monuseg' are tiles of 'test' of 'kumar'",)
    assert notes("kumar", "train") == notes("monuseg", "test") == ()
    (leak,) = module._shared_files("kumar", {})
    assert set(leak.names) == KUMAR_TEST
    assert len(KUMAR_TEST) == 14


def test_splits_of_tnbc_by_patient_share_none_and_the_others_do():
    assert notes("tnbc", "test", version="patients") == ()
    for version in ("30_20", "25_15", "35_15"):
        assert "patients of 'test' are in 'train', too" in notes("tnbc", "test", version=version)[0]


@pytest.mark.real
def test_loading_glas_tells_its_shared_patients(tissue, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tissue))
    assert datasets.load("glas", "testA").notes == (
        "8 patients of 'testA' are in 'train', too: 3, 4, 7, 9, 10, 11, 13, 15",
    )
    assert datasets.load("glas", "testB").notes == ("5 patients of 'testB' are in 'train', too: 1, 2, 3, 5, 7",)


@pytest.mark.real
def test_glas_and_tnbc_share_patients_but_no_picture(tissue):
    glas = leaks("glas")
    assert {leak.kind for leak in glas} == {"same patient"}
    assert len([leak for leak in glas if leak.splits == ("train", "testA")]) == 8
    assert len([leak for leak in glas if leak.splits == ("train", "testB")]) == 5
    assert leaks("tnbc", version="patients") == []


@pytest.mark.real
@pytest.mark.slow
def test_kumar_and_monuseg_share_14_tiles_also_by_their_pixels(tissue):
    by_name, *by_pixels = leaks("kumar", against=["monuseg"])
    assert (by_name.kind, set(by_name.names)) == ("other set", KUMAR_TEST)
    assert {leak.names for leak in by_pixels} == {(name, name) for name in KUMAR_TEST}
    assert all("is pixel by pixel" in leak.detail for leak in by_pixels)
