"""Small copies of sets whose files are not here, in the official layout: what their loaders are tested on."""

import os
import shutil

import numpy as np
from PIL import Image
from scipy.io import savemat

SIDE = 24  # of a tile of CoNSeP and CPM-17, in pixels
TISSUES = ("Breast", "HeadNeck", "Adrenal_gland", "Bile-duct", "Colon")


def picture(number, shape=(SIDE, SIDE)):
    return np.random.default_rng(number).integers(0, 256, (*shape, 3), dtype=np.uint8)


def save_picture(path, pixels):
    _make_way(path)
    Image.fromarray(pixels).save(path, compress_level=0)


def save_mat(path, **arrays):
    _make_way(path)
    savemat(path, arrays)


def _make_way(path):
    """A file that is to be replaced may be a link to one of another copy, which must stay as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)


def three_nuclei(shape=(SIDE, SIDE)):
    """Ids 1 to 3: a square of 16 pixels, and a bar of 8 that touches one of 4."""
    nuclei = np.zeros(shape, np.int32)
    nuclei[2:6, 2:6], nuclei[10:14, 8:10], nuclei[10:14, 10] = 1, 2, 3
    return nuclei


def write_cpm17(folder, tiles=32):
    for split in ("train", "test"):
        for number in range(tiles):
            shape = (SIDE, SIDE + number % 3)
            save_picture(folder / split / "Images" / f"image_{number:02d}.png", picture(number, shape))
            save_mat(folder / split / "Labels" / f"image_{number:02d}.mat", inst_map=three_nuclei(shape).astype(float))
    return folder


def consep_arrays():
    """The four arrays of one label file: nuclei of types 3, 4 and 7, stored as MATLAB does."""
    nuclei = three_nuclei()
    types = np.array([[3], [4], [7]])
    return {
        "inst_map": nuclei.astype(float),
        "type_map": np.array([0, 3, 4, 7])[nuclei].astype(float),
        "inst_type": types.astype(float),
        "inst_centroid": np.array([[3.5, 3.5], [8.5, 11.5], [10.0, 11.5]]),
    }


def write_consep(folder):
    for split, tiles in (("Train", 27), ("Test", 14)):
        for number in range(1, tiles + 1):
            stem = f"{split.lower()}_{number}"
            pixels = picture(number)
            opaque = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
            save_picture(folder / split / "Images" / f"{stem}.png", opaque if number % 2 else pixels)
            save_mat(folder / split / "Labels" / f"{stem}.mat", **consep_arrays())
    return folder


def pannuke_arrays(tiles=3, seed=0):
    """Images, masks and tissues of one fold; the last tile holds no nucleus."""
    images = np.random.default_rng(seed).integers(0, 256, (tiles, 256, 256, 3)).astype(float)
    masks = np.zeros((tiles, 256, 256, 6))
    masks[:-1, 10:20, 10:20, 0] = 4
    masks[:-1, 30:40, 10:20, 0] = 9
    masks[:-1, 50:60, 10:20, 4] = 4  # the id of another nucleus in another channel
    masks[..., 5] = ~masks[..., :5].any(axis=-1)
    return images, masks, np.array([TISSUES[index % len(TISSUES)] for index in range(tiles)])


def save_fold(folder, number, images, masks, types):
    top = folder / f"Fold {number}"
    pixels, labels = top / "images" / f"fold{number}", top / "masks" / f"fold{number}"
    for path, array in ((pixels / "images", images), (labels / "masks", masks), (pixels / "types", types)):
        _make_way(path.with_suffix(".npy"))
        np.save(path.with_suffix(".npy"), array)
    return top


def linked_copy(folder, to):
    """A copy that takes no time: links to the same files, which must be replaced, never written to."""
    shutil.copytree(folder, to, copy_function=os.link)
    return to


def write_pannuke(folder, tiles=3):
    for number in (1, 2, 3):
        save_fold(folder, number, *pannuke_arrays(tiles, number))
    return folder
