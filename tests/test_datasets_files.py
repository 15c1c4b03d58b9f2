import sys

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from histolab_lib.data_dir import DataError
from histolab_lib.datasets.files import read_labels, read_mask, read_rgb, require, set_folder

RNG = np.random.default_rng(5)
PIXELS = RNG.integers(0, 256, (40, 30, 3), dtype=np.uint8)


def saved(path, array, **how):
    Image.fromarray(array).save(path, **how)
    return path


def jpeg2000_tiff(path):
    import tifffile

    tifffile.imwrite(path, PIXELS, compression="jpeg2000", photometric="rgb")
    return path


# ---- images


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp"])
def test_an_rgb_image_is_read_as_it_is(tmp_path, name):
    read = read_rgb(saved(tmp_path / name, PIXELS))
    np.testing.assert_array_equal(read, PIXELS)
    assert read.dtype == np.uint8
    assert read.flags.c_contiguous
    assert read.flags.writeable  # torch warns of arrays that are not


def test_an_alpha_channel_is_dropped_only_where_it_is_opaque(tmp_path):
    opaque = np.dstack([PIXELS, np.full((40, 30), 255, np.uint8)])
    np.testing.assert_array_equal(read_rgb(saved(tmp_path / "opaque.png", opaque)), PIXELS)
    opaque[3, 4, 3] = 254
    with pytest.raises(DataError, match=r"glass\.png: expected an opaque RGB image, got RGBA with transparent"):
        read_rgb(saved(tmp_path / "glass.png", opaque))


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "CMYK", "I;16"])
def test_an_image_that_is_not_rgb_is_an_error_that_tells_its_mode(tmp_path, mode):
    path = tmp_path / "other.tif"
    Image.fromarray(PIXELS).convert("L" if mode == "I;16" else mode).convert(mode).save(path)
    with pytest.raises(DataError, match=rf"other\.tif: expected an RGB image of 8 bits per channel, got mode {mode},"):
        read_rgb(path)


@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
def test_sixteen_bits_per_channel_are_not_cut_to_eight_in_silence(tmp_path, name):
    path = tmp_path / name
    deep = PIXELS.astype(np.uint16) * 257
    if name.endswith("png"):
        import imagecodecs

        path.write_bytes(imagecodecs.png_encode(deep))
    else:
        import tifffile

        tifffile.imwrite(path, deep, photometric="rgb")
    with pytest.raises(DataError, match=r"expected an RGB image of 8 bits per channel, got mode RGB;16"):
        read_rgb(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.tif: no such file; unpack the set again"):
        read_rgb(tmp_path / "nowhere.tif")


@pytest.mark.parametrize("name", ["text.png", "text.tif", "text.bmp"])
@pytest.mark.parametrize("content", [b"", b"<html>please log in</html>", b"II*\0\0\0\0\0", b"MM\0*\xff\xff\xff\xff"])
def test_a_file_that_is_no_image_is_named(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"text\.{name[-3:]}: (damaged|truncated)"):
        read_rgb(path)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_a_truncated_tiff_is_never_read_as_if_it_were_whole(tmp_path, compression):
    whole = saved(tmp_path / "whole.tif", PIXELS, compression=compression).read_bytes()
    path = tmp_path / "cut.tif"
    refused = 0
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        try:
            np.testing.assert_array_equal(read_rgb(path), PIXELS)
        except DataError as error:
            assert "cut.tif: " in str(error)  # noqa: PT017
            assert "unpack or download it again" in str(error)  # noqa: PT017
            refused += 1
    assert refused >= 0.9 * len(range(0, len(whole), 37))


def test_half_a_tiff_is_called_truncated(tmp_path):
    whole = jpeg2000_tiff(tmp_path / "whole.tif").read_bytes()
    (tmp_path / "half.tif").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"half\.tif: truncated TIFF, \d+ of at least \d+ bytes; unpack or download it"):
        read_rgb(tmp_path / "half.tif")


@pytest.mark.parametrize("name", ["cut.png", "cut.bmp"])
def test_a_truncated_image_of_another_format_is_damaged(tmp_path, name):
    whole = saved(tmp_path / name, PIXELS).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=rf"{name}: damaged"):
        read_rgb(tmp_path / name)


def test_a_compression_that_pillow_lacks_is_decoded_with_imagecodecs(tmp_path):
    np.testing.assert_array_equal(read_rgb(jpeg2000_tiff(tmp_path / "jp2.tif")), PIXELS)


def test_a_missing_codec_names_file_compression_and_remedy(tmp_path, monkeypatch):
    path = jpeg2000_tiff(tmp_path / "jp2.tif")
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(
        DataError, match=r"jp2\.tif: TIFF compression 34712 \(JPEG 2000\).*install imagecodecs .*`data`"
    ):
        read_rgb(path)


def test_a_codec_that_fails_names_the_file(tmp_path):
    path = jpeg2000_tiff(tmp_path / "jp2.tif")
    content = bytearray(path.read_bytes())
    start = content.index(b"\xff\x4f\xff\x51")  # start of the code stream
    content[start : start + 60] = bytes(60)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"jp2\.tif: TIFF compression 34712 .*imagecodecs failed too"):
        read_rgb(path)


def test_pillow_without_its_tiff_library_falls_back_to_imagecodecs(tmp_path, monkeypatch):
    path = saved(tmp_path / "lzw.tif", PIXELS, compression="tiff_lzw")

    def absent(self):
        raise OSError("decoder libtiff not available")

    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "load", absent)
    monkeypatch.setattr("PIL.features.check", lambda feature: False)
    np.testing.assert_array_equal(read_rgb(path), PIXELS)


def test_an_image_beyond_the_size_of_a_tile_is_an_error_and_no_warning(tmp_path, monkeypatch):
    path = saved(tmp_path / "slide.png", PIXELS)
    for limit in (1000, 500):  # Pillow warns above the limit and raises above its double
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(
            DataError, match=r"slide\.png: too large for a tile \(.*1200 pixels.*cut the slide into tiles"
        ):
            read_rgb(path)


# ---- labels and masks

LABELS = np.array([[0, 0, 7], [300, 300, 7]])


@pytest.mark.parametrize(("dtype", "name"), [("uint16", "l.png"), ("int32", "l.tif"), ("uint16", "l.tif")])
def test_labels_are_read_as_int32_whatever_their_width(tmp_path, dtype, name):
    read = read_labels(saved(tmp_path / name, LABELS.astype(dtype)), (2, 3))
    np.testing.assert_array_equal(read, LABELS)
    assert read.dtype == np.int32


def test_of_a_palette_image_the_indices_are_the_labels(tmp_path):
    image = Image.fromarray((LABELS % 256).astype(np.uint8))
    image.putpalette(list(range(255, -1, -1)) * 3)
    image.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "palette.png"), LABELS % 256)


def test_labels_of_another_size_than_the_tile_are_an_error_with_both_sizes(tmp_path):
    path = saved(tmp_path / "l.png", LABELS.astype(np.uint16))
    with pytest.raises(DataError, match=r"l\.png: label image is 2x3 pixels \(height x width\), but its tile is 3x2"):
        read_labels(path, (3, 2))


@pytest.mark.parametrize("array", [PIXELS, PIXELS[..., 0].astype(np.float32)])
def test_labels_must_be_one_channel_of_integers(tmp_path, array):
    path = saved(tmp_path / "l.tif", array)
    with pytest.raises(DataError, match=r"l\.tif: expected a label image, one channel of integers, got mode (RGB|F),"):
        read_labels(path)


def test_labels_must_not_be_negative(tmp_path):
    with pytest.raises(DataError, match=r"l\.tif: labels must not be negative, got -1"):
        read_labels(saved(tmp_path / "l.tif", np.array([[0, -1]], np.int32)))


@pytest.mark.parametrize("on", [1, 255])
def test_a_mask_is_zero_and_one_other_value(tmp_path, on):
    mask = RNG.random((6, 5)) < 0.5
    read = read_mask(saved(tmp_path / "m.png", (mask * on).astype(np.uint8)), (6, 5))
    np.testing.assert_array_equal(read, mask)
    assert read.dtype == np.bool_


def test_a_mask_of_one_bit_is_a_mask(tmp_path):
    mask = RNG.random((6, 5)) < 0.5
    np.testing.assert_array_equal(read_mask(saved(tmp_path / "m.png", mask)), mask)


@pytest.mark.parametrize(("value", "share"), [(0, 0.0), (255, 1.0)])
def test_a_mask_of_one_value_is_all_background_or_all_foreground(tmp_path, value, share):
    assert read_mask(saved(tmp_path / "m.png", np.full((4, 4), value, np.uint8))).mean() == share


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([0, 128, 255], "3 values: 0, 128, 255"),
        ([1, 2], "2 values: 1, 2"),
        (range(9), "9 values: 0, 1, 2, 3, 4, 5, ..."),
    ],
)
def test_a_mask_of_other_values_is_an_error_that_lists_them(tmp_path, values, told):
    path = saved(tmp_path / "m.png", np.array([values], np.uint8))
    with pytest.raises(
        DataError, match=rf"m\.png: expected a mask, 0 and one other value \(as 0 and 255\), got {told}"
    ):
        read_mask(path)


# ---- folders


def test_without_a_data_folder_the_message_tells_the_way_out(monkeypatch):
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    with pytest.raises(
        DataError, match=r"HISTOLAB_DATA is not set, and 'monuseg' is real tissue: set it .* or load 'synthetic'"
    ):
        set_folder("monuseg", page="https://example.org")


def test_a_data_folder_without_the_set_is_named_with_the_page(monkeypatch, tmp_path):
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"has no folder monuseg/; unpack the set there, from https://example\.org"):
        set_folder("monuseg", page="https://example.org")
    (tmp_path / "monuseg").mkdir()
    assert set_folder("monuseg", page="https://example.org") == tmp_path / "monuseg"


def test_missing_things_are_counted_and_the_first_three_named():
    require([], of=9, problem="are missing", advice="look")
    with pytest.raises(DataError, match=r"^5 of 9 are missing \(a, b, c, \.\.\.\); look$"):
        require(list("abcde"), of=9, problem="are missing", advice="look")
    with pytest.raises(DataError, match=r"^1 of 9 are missing \(a\); look$"):
        require(["a"], of=9, problem="are missing", advice="look")
