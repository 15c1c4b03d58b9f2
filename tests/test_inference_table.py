import numpy as np
import pytest

from histolab_lib.inference import nuclei_table
from histolab_lib.stain import combine


def _scene() -> tuple[np.ndarray, np.ndarray]:
    """Two nuclei of known stain: a square of 0.8 and a bar of 0.3; ids with a gap."""
    instances = np.zeros((20, 30), np.int32)
    instances[2:8, 3:9] = 4
    instances[12:14, 5:25] = 9
    stains = np.zeros((20, 30, 3))
    stains[..., 1] = 0.2
    stains[instances == 4, 0], stains[instances == 9, 0] = 0.8, 0.3
    return combine(stains), instances


def test_centroid_area_shape_and_stain_of_each_nucleus():
    square, bar = nuclei_table(*_scene())
    assert [square[name] for name in ("id", "row_px", "column_px", "area_px")] == [4, 4.5, 5.5, 36]
    assert [bar[name] for name in ("id", "row_px", "column_px", "area_px")] == [9, 12.5, 14.5, 40]
    assert square["hematoxylin_od"] == pytest.approx(0.8, abs=0.02)
    assert bar["hematoxylin_od"] == pytest.approx(0.3, abs=0.02)
    assert square["eccentricity"] == pytest.approx(0, abs=1e-9)
    # n points in a row have a variance of (n^2 - 1) / 12: here 20 along and 2 across
    assert bar["eccentricity"] == pytest.approx(np.sqrt(1 - 3 / 399), abs=1e-9)
    assert "area_um2" not in bar


def test_areas_in_square_micrometres_where_the_scale_is_known():
    assert [row["area_um2"] for row in nuclei_table(*_scene(), um_per_px=0.5)] == [9.0, 10.0]


def test_a_black_pixel_does_not_count_for_six_decades():
    image, instances = _scene()
    image[3, 4] = 0
    darker = nuclei_table(image, instances)[0]["hematoxylin_od"]
    assert 0.8 < darker < 0.9


def test_one_pixel_is_an_object_and_an_empty_map_has_no_row():
    image, instances = _scene()
    assert nuclei_table(image, np.zeros_like(instances)) == []
    instances[:] = 0
    instances[19, 29] = 1
    (row,) = nuclei_table(image, instances)
    assert (row["row_px"], row["column_px"], row["area_px"], row["eccentricity"]) == (19.0, 29.0, 1, 0.0)


def test_sizes_and_scales_that_make_no_sense_are_errors():
    image, instances = _scene()
    with pytest.raises(ValueError, match=r"image \(20, 30, 3\) and instances \(20, 29\) must have one size"):
        nuclei_table(image, instances[:, :-1])
    with pytest.raises(ValueError, match="um_per_px must be above 0, got 0"):
        nuclei_table(image, instances, um_per_px=0)
