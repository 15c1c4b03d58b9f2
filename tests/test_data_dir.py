import pytest

from histolab_lib import data_dir


def test_the_project_s_data_lies_beside_the_package_in_a_checkout():
    assert (data_dir.data_dir() / "registry.toml").is_file()


def test_data_inside_an_installed_package_comes_first(tmp_path, monkeypatch):
    package = tmp_path / "site" / "histolab_lib"
    inside = package / "_data"
    inside.mkdir(parents=True)
    (inside / "registry.toml").touch()
    monkeypatch.setattr(data_dir, "_PACKAGE", package)
    assert data_dir.data_dir() == inside


def test_a_broken_installation_is_said_with_both_places(tmp_path, monkeypatch):
    monkeypatch.setattr(data_dir, "_PACKAGE", tmp_path / "histolab_lib")
    with pytest.raises(data_dir.DataError, match=r"no data folder at .*_data or .*data; reinstall"):
        data_dir.data_dir()


@pytest.mark.parametrize("value", [None, ""])
def test_no_folder_of_tissue_is_named_by_an_unset_or_empty_variable(value, monkeypatch):
    if value is None:
        monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    else:
        monkeypatch.setenv("HISTOLAB_DATA", value)
    assert data_dir.tissue_dir() is None


def test_a_folder_of_tissue_may_start_at_home(tmp_path, monkeypatch):
    (tmp_path / "tissue").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HISTOLAB_DATA", "~/tissue")
    assert data_dir.tissue_dir() == tmp_path / "tissue"


def test_a_name_that_is_no_folder_is_an_error_that_says_what_to_set(tmp_path, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path / "gone"))
    with pytest.raises(data_dir.DataError, match=r"HISTOLAB_DATA is '.*gone', which is not a folder; set it"):
        data_dir.tissue_dir()
