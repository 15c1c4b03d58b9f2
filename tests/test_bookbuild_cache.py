import os

import pytest

from histolab_lib.bookbuild import cache
from histolab_lib.bookbuild.cache import chapter_key, imported_modules
from histolab_lib.bookbuild.pairs import parse_source
from histolab_lib.data_dir import DataError
from tests.books import CLEAN, Code, chapter, source, write_book


def _modules(code):
    return imported_modules(parse_source(source([*CLEAN, Code(code)])))


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    return chapter(write_book(tmp_path, {"tiny": source([*CLEAN, Code("from histolab_lib.metrics import dice")])}))


def test_a_chapter_depends_on_what_it_imports_directly_and_through_others():
    modules = _modules("from histolab_lib.profiles import begin")
    assert {"histolab_lib", "histolab_lib.profiles", "histolab_lib.datasets.synthetic.tissue"} <= set(modules)
    assert "histolab_lib.training" not in modules
    assert "histolab_lib.bookbuild.execute" not in modules
    assert modules == sorted(modules)


def test_a_chapter_about_scores_does_not_depend_on_training_or_data_sets():
    modules = _modules("from histolab_lib.metrics import dice")
    assert "histolab_lib.metrics.pixels" in modules
    assert not [name for name in modules if name.startswith(("histolab_lib.training", "histolab_lib.datasets"))]


@pytest.mark.parametrize(
    "code",
    [
        "import histolab_lib.metrics.pixels",
        "import histolab_lib.metrics.pixels as p",
        "from histolab_lib.metrics import pixels",
        "from histolab_lib.metrics.pixels import dice",
        "def f():\n    from histolab_lib.metrics import pixels",
        "%time from histolab_lib.metrics import pixels\n!ls\nimport histolab_lib.metrics.pixels",
    ],
)
def test_every_spelling_of_an_import_counts(code):
    assert "histolab_lib.metrics.pixels" in _modules(code)


def test_what_is_not_python_stops_nothing_here_since_the_run_will_say_so():
    assert _modules("def (") == []


def test_the_key_is_the_same_twice(tiny):
    assert chapter_key(tiny, "smoke") == chapter_key(tiny, "smoke")


def test_a_changed_module_changes_the_key_only_of_chapters_that_import_it(tiny, monkeypatch):
    read = cache._module_bytes
    before = chapter_key(tiny, "smoke")

    def changed(name):
        monkeypatch.setattr(cache, "_module_bytes", lambda m: read(m) + (b"#" if m == name else b""))
        return chapter_key(tiny, "smoke") != before

    assert changed("histolab_lib.metrics")
    assert changed("histolab_lib.metrics.pixels")
    assert changed("histolab_lib")
    assert not changed("histolab_lib.training")
    assert not changed("histolab_lib.profiles")


@pytest.mark.parametrize(
    "name", ["book/tiny.md", "constraints.txt", "data/registry.toml", "data/facts/counts.json", "data/claims/a.csv"]
)
def test_text_pins_and_committed_data_change_the_key(tiny, name):
    before = chapter_key(tiny, "smoke")
    path = tiny.root / name
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write("\n\nMore.\n")
    assert chapter_key(tiny, "smoke") != before


def test_a_page_that_is_not_the_chapter_does_not_change_its_key(tiny):
    before = chapter_key(tiny, "smoke")
    (tiny.root / "book" / "index.md").write_text("# Another start\n")
    (tiny.root / "_config.yml").write_text("title: other\n")
    assert chapter_key(tiny, "smoke") == before


def test_only_profiles_that_may_look_at_real_tissue_depend_on_it(tiny, tmp_path, monkeypatch):
    without = {profile: chapter_key(tiny, profile) for profile in ("smoke", "colab", "paper")}
    assert len(set(without.values())) == 3
    folder = tmp_path / "tissue"
    folder.mkdir()
    (folder / "a.tif").write_bytes(b"1")
    monkeypatch.setenv("HISTOLAB_DATA", str(folder))
    with_one = {profile: chapter_key(tiny, profile) for profile in without}
    assert with_one["smoke"] == without["smoke"]
    assert with_one["colab"] != without["colab"]
    assert with_one["paper"] != without["paper"]
    os.utime(folder / "a.tif", (1, 1))
    assert chapter_key(tiny, "colab") != with_one["colab"]


def test_the_folder_of_tissue_is_read_as_the_library_reads_it(tiny, tmp_path, monkeypatch):
    (tmp_path / "tissue").mkdir()
    (tmp_path / "tissue" / "a.tif").write_bytes(b"1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path / "tissue"))
    full = chapter_key(tiny, "colab")
    monkeypatch.setenv("HISTOLAB_DATA", "~/tissue")
    assert chapter_key(tiny, "colab") == full
    monkeypatch.setenv("HISTOLAB_DATA", "~/nowhere")
    assert chapter_key(tiny, "smoke")
    with pytest.raises(DataError, match="HISTOLAB_DATA is '~/nowhere', which is not a folder"):
        chapter_key(tiny, "colab")


def test_a_machine_with_a_gpu_does_not_take_the_run_of_one_without(tiny, monkeypatch):
    keys = {}
    for gpu in (False, True):
        monkeypatch.setattr(cache, "has_gpu_driver", lambda gpu=gpu: gpu)
        keys[gpu] = chapter_key(tiny, "colab"), chapter_key(tiny, "smoke")
    assert keys[False][0] != keys[True][0]
    assert keys[False][1] == keys[True][1]  # smoke always runs on the CPU


def test_records_change_the_key_only_of_chapters_that_read_them(tmp_path, monkeypatch):
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    pages = {
        "with": source([*CLEAN, Code("from histolab_lib.results import load_results")]),
        "without": source([*CLEAN, Code("from histolab_lib.metrics import dice")]),
    }
    root = write_book(tmp_path, pages)
    before = {name: chapter_key(chapter(root, name), "smoke") for name in pages}
    path = root / "data" / "results" / "unet" / "tnbc" / "base-clean-cpu-seed0.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    assert chapter_key(chapter(root, "with"), "smoke") != before["with"]
    assert chapter_key(chapter(root, "without"), "smoke") == before["without"]


def test_how_long_chapters_take_does_not_change_their_key(tiny):
    before = chapter_key(tiny, "smoke")
    path = tiny.root / "data" / "facts" / "timings.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")
    assert chapter_key(tiny, "smoke") == before
