import numpy as np
import pytest
from scipy.io import savemat

from histolab_lib.data_dir import DataError
from histolab_lib.datasets.matlab import label_map, read_mat, whole_numbers


@pytest.fixture
def path(tmp_path):
    savemat(tmp_path / "a.mat", {"inst_map": np.arange(6.0).reshape(2, 3), "other": np.array([[3]])})
    return tmp_path / "a.mat"


def test_the_arrays_that_are_asked_for_are_read_and_no_others(path):
    found = read_mat(path, ["inst_map"])
    assert list(found) == ["inst_map"]
    assert found["inst_map"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_compressed_files_are_read_too(tmp_path):
    savemat(tmp_path / "a.mat", {"inst_map": np.eye(3, dtype=np.uint16)}, do_compression=True)
    assert read_mat(tmp_path / "a.mat", ["inst_map"])["inst_map"].sum() == 3


def test_a_missing_key_is_named(path):
    with pytest.raises(DataError, match=r"a\.mat: expected inst_map, type_map, but type_map is not in it; unpack or"):
        read_mat(path, ["inst_map", "type_map"])


def test_a_missing_file_is_named_and_no_ending_is_added(path):
    with pytest.raises(DataError, match=r"b\.mat: no such file"):
        read_mat(path.with_name("b.mat"), ["inst_map"])
    with pytest.raises(DataError, match=r"a: no such file"):
        read_mat(path.with_suffix(""), ["inst_map"])


@pytest.mark.parametrize("content", [b"", b"<html>log in</html>" * 20, b"MATLAB 5.0 MAT-file", b"\0" * 200])
def test_what_is_no_matlab_file_is_named(path, content):
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.mat: damaged or not a MATLAB file"):
        read_mat(path, ["inst_map"])


@pytest.mark.parametrize("compressed", [False, True])
def test_half_a_file_is_named(tmp_path, compressed):
    path = tmp_path / "a.mat"
    savemat(path, {"inst_map": np.random.default_rng(0).integers(0, 99, (40, 40))}, do_compression=compressed)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"a\.mat: damaged or not a MATLAB file"):
        read_mat(path, ["inst_map"])


def test_version_7_3_tells_how_to_save_it_again(path):
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + b"\0" * 8 + b"\x00\x02IM"
    path.write_bytes(head.ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n" + b"\0" * 64)
    with pytest.raises(DataError, match=r"a\.mat: a MATLAB file of version 7\.3, which is HDF5; .*'-v7'\)"):
        read_mat(path, ["inst_map"])


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32, np.float64])
def test_whole_numbers_of_any_type_become_int32(path, dtype):
    found = whole_numbers(path, "inst_map", np.array([[0, 1], [1, 0]], dtype), highest=1)
    assert (found.dtype, found.tolist()) == (np.int32, [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("value", "shown"), [(-1.0, "-1.0"), (0.5, "0.5"), (np.nan, "nan"), (np.inf, "inf"), (8, "8"), (-3, "-3")]
)
def test_a_number_that_cannot_be_an_id_is_quoted(path, value, shown):
    with pytest.raises(DataError, match=rf"a\.mat: inst_map must hold whole numbers from 0 to 7, got {shown};"):
        whole_numbers(path, "inst_map", np.array([0, 7, value]), highest=7)


def test_ids_beyond_int32_are_not_wrapped_around(path):
    with pytest.raises(DataError, match="got 2147483648"):
        label_map(path, "inst_map", np.array([[2**31]]), (1, 1))


@pytest.mark.parametrize("values", [np.array([["a"]]), np.array([[None]], object), np.array([[1j]])])
def test_an_array_of_something_else_is_named(path, values):
    with pytest.raises(DataError, match=r"a\.mat: inst_map must hold numbers, got"):
        label_map(path, "inst_map", values, (1, 1))


@pytest.mark.parametrize("shape", [(3, 2), (2, 3, 1), (6,)])
def test_a_map_of_another_shape_than_its_image_is_named(path, shape):
    with pytest.raises(DataError, match=r"a\.mat: inst_map has shape .*, but its image is 2x3 pixels"):
        label_map(path, "inst_map", np.zeros(shape), (2, 3))
