import os
import sys
import types

import pytest
from IPython.core.formatters import DisplayFormatter

from histolab_lib import profiles
from histolab_lib.data_dir import DataError
from histolab_lib.profiles import PROFILES, RUN_MIME, begin


@pytest.fixture(autouse=True)
def _bare_machine(monkeypatch, request):
    """No tissue, no profile, no GPU, no Colab, whatever the machine has."""
    if "tissue" in request.fixturenames:
        request.getfixturevalue("tissue")  # reads the variable that goes next
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    monkeypatch.delenv("HISTOLAB_PROFILE", raising=False)
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    monkeypatch.setattr(profiles, "has_gpu_driver", lambda: False)


@pytest.fixture
def half_unpacked(tmp_path, monkeypatch):
    folder = tmp_path / "tissue"
    (folder / "monuseg" / "MoNuSegTestData").mkdir(parents=True)
    monkeypatch.setenv("HISTOLAB_DATA", str(folder))
    return folder


def test_an_unknown_profile_names_those_that_there_are(monkeypatch):
    with pytest.raises(ValueError, match=r"^unknown profile 'quick'; there are auto, smoke, colab, paper$"):
        begin("quick")
    monkeypatch.setenv("HISTOLAB_PROFILE", "fast")
    with pytest.raises(ValueError, match=r"^unknown profile in HISTOLAB_PROFILE 'fast'; there are auto, smoke"):
        begin()


@pytest.mark.parametrize("profile", ["smoke", "colab", "paper"])
def test_an_unknown_data_set_is_an_error_rather_than_synthetic_tissue(profile):
    with pytest.raises(ValueError, match=r"unknown data set 'monuse', did you mean 'monuseg'\?"):
        begin(profile, data="monuse")


def test_auto_takes_what_the_environment_names(monkeypatch):
    assert begin().profile.name == "smoke"
    monkeypatch.setenv("HISTOLAB_PROFILE", "colab")
    assert begin().profile.name == "colab"
    assert begin("smoke").profile.name == "smoke"
    monkeypatch.setenv("HISTOLAB_PROFILE", "")
    assert begin().profile.name == "smoke"


@pytest.mark.parametrize(("colab", "gpu", "name"), [(1, 1, "colab"), (1, 0, "smoke"), (0, 1, "smoke")])
def test_auto_is_colab_only_on_colab_with_a_gpu(monkeypatch, colab, gpu, name):
    if colab:
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setattr(profiles, "has_gpu_driver", lambda: bool(gpu))
    monkeypatch.setattr(profiles, "_device", lambda: "cpu")
    assert begin().profile.name == name


def test_smoke_never_looks_at_real_tissue(tmp_path, monkeypatch):
    for value in (str(tmp_path / "nowhere"), str(tmp_path)):
        (tmp_path / "monuseg").mkdir(exist_ok=True)
        monkeypatch.setenv("HISTOLAB_DATA", value)
        run = begin("smoke")
        assert (run.real, run.tissue) == (False, "synthetic tissue")
        assert run.tiles("test")[0].name


def test_smoke_runs_on_the_cpu_whatever_the_machine_has(monkeypatch):
    monkeypatch.setattr(profiles, "_device", lambda: "cuda")
    assert begin("smoke").device == "cpu"
    assert begin("colab").device == "cuda"


def test_colab_without_real_tissue_takes_synthetic_and_says_so(tmp_path, monkeypatch):
    for value in ("", str(tmp_path)):
        monkeypatch.setenv("HISTOLAB_DATA", value)
        run = begin("colab")
        assert not run.real
        assert "profile colab: synthetic tissue" in str(run)
        assert run._repr_mimebundle_()[RUN_MIME]["tissue"] == "synthetic tissue"


def test_paper_without_real_tissue_is_an_error_that_says_what_to_do(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"needs the real set 'monuseg', and HISTOLAB_DATA is not set; see: "):
        begin("paper")
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    with pytest.raises(DataError, match=rf"{tmp_path} has no folder 'monuseg'; see: histolab data list"):
        begin("paper")


@pytest.mark.parametrize("profile", ["colab", "paper"])
def test_a_damaged_real_set_is_an_error_and_never_passed_over(half_unpacked, profile):
    with pytest.raises(DataError, match=r"30 of 30 .*Tissue Images.* unpack the archive of split 'train'"):
        begin(profile)


@pytest.mark.parametrize("profile", ["colab", "paper"])
def test_a_folder_that_is_none_is_an_error(tmp_path, monkeypatch, profile):
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"nowhere', which is not a folder"):
        begin(profile)


@pytest.mark.real
@pytest.mark.parametrize("profile", ["colab", "paper"])
def test_real_tissue_is_taken_where_it_is(tissue, monkeypatch, profile):
    monkeypatch.setenv("HISTOLAB_DATA", str(tissue))
    run = begin(profile)
    assert run.real
    assert run.tissue == "real tissue (monuseg)"
    assert (len(run.tiles("train")), len(run.tiles("test"))) == (30, 14)


@pytest.mark.real
def test_of_several_test_sets_the_first_is_taken(tissue, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tissue))
    run = begin("colab", data="glas")
    assert [len(run.tiles(split)) for split in ("train", "test")] == [85, 60]
    with pytest.raises(ValueError, match="unknown 'glas' split 'val'"):
        run.tiles("val")


def test_a_set_of_glands_has_synthetic_glands_in_its_place():
    assert "-glands-" in begin("smoke", data="glas").tiles("test")[0].name
    assert "-glands-" not in begin("smoke", data="monuseg").tiles("test")[0].name


def test_synthetic_tiles_come_in_the_number_of_the_profile():
    for name in ("smoke", "colab"):
        run = begin(name)
        counts = {split: len(run.tiles(split)) for split in ("train", "val", "test")}
        assert counts == dict(PROFILES[name].synthetic_tiles)
    with pytest.raises(ValueError, match=r"unknown split 'extra' of synthetic tissue; there are train, val, test"):
        begin("smoke").tiles("extra")


def test_each_profile_trains_longer_than_the_one_before():
    steps = [PROFILES[name].steps for name in ("smoke", "colab", "paper")]
    assert steps == sorted(set(steps))


def test_a_run_shows_itself_and_tells_the_pipeline_what_it_ran_on():
    run = begin("smoke", seed=3)
    data, _ = DisplayFormatter().format(run)
    assert data["text/plain"] == str(run) == repr(run)
    facts = {"profile": "smoke", "tissue": "synthetic tissue", "sets": [], "about": "MoNuSeg 2018", "device": "CPU"}
    assert data[RUN_MIME] == facts
    assert run.seed == 3


def test_begin_leaves_the_environment_as_it_is():
    before = dict(os.environ)
    begin("smoke")
    assert dict(os.environ) == before
