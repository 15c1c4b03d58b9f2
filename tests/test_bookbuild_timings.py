import json

import pytest

from histolab_lib.bookbuild import mathjax
from histolab_lib.bookbuild.execute import Executed
from histolab_lib.bookbuild.stage import stage
from histolab_lib.bookbuild.timings import keep_timings, read_timings, takes, timings_path
from tests.books import ROOT, chapter, ran, read, write_book
from tests.test_bookbuild_stage import _executed


def run(root, name="tiny", *, profile="smoke", seconds=13.6):
    record = {"key": "k", "profile": profile, "commit": "abc", "date": "2026-11-21T10:00:00+00:00", "seconds": seconds}
    return Executed(chapter(root, name), root / "x.ipynb", record, fresh=True)


def test_how_long_runs_took_is_kept_by_chapter_and_profile(tmp_path):
    assert read_timings(tmp_path) == {}
    assert keep_timings(tmp_path, [(run(tmp_path), "a GPU")]) == ["book/tiny: 14 s (smoke, one core)"]
    keep_timings(tmp_path, [(run(tmp_path, profile="paper", seconds=540.2), "a GPU")])
    assert read_timings(tmp_path) == {
        "book/tiny": {
            "smoke": {"seconds": 14, "device": "one core", "date": "2026-11-21"},
            "paper": {"seconds": 540, "device": "a GPU", "date": "2026-11-21"},
        }
    }


def test_chapters_that_are_gone_are_dropped_and_nothing_takes_no_time(tmp_path):
    keep_timings(tmp_path, [(run(tmp_path, "old"), "CPU")])
    keep_timings(tmp_path, [(run(tmp_path, "b", seconds=0.1), "CPU"), (run(tmp_path, "a"), "CPU")])
    found = read_timings(tmp_path)
    assert list(found) == ["book/a", "book/b"]
    assert found["book/b"]["smoke"]["seconds"] == 1
    assert [one.name for one in timings_path(tmp_path).parent.iterdir()] == ["timings.json"]


@pytest.mark.parametrize(("seconds", "words"), [(1, "1 s"), (119, "119 s"), (120, "2 min"), (3600, "60 min")])
def test_times_are_told_in_seconds_or_minutes(seconds, words):
    assert takes({"smoke": {"seconds": seconds, "device": "one core"}}) == f"takes about {words} (smoke, one core)"


def test_nothing_is_told_where_nobody_measured():
    assert takes({}) is None


def test_the_foot_of_a_page_tells_how_long_it_takes(tmp_path, monkeypatch):
    monkeypatch.setattr(mathjax, "vendor", lambda destination, listing: False)
    root = write_book(tmp_path)
    (root / "book" / "_static").mkdir()
    executed = _executed(root)
    key = executed.chapter.key

    def foot():
        return read(stage(root, [executed]) / f"{key}.ipynb").cells[-1].source

    assert "takes about" not in foot()
    path = timings_path(root)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({key: {"smoke": {"seconds": 31, "device": "one core"}}}))
    assert " · takes about 31 s (smoke, one core) · " in foot()


def test_committed_times_are_of_chapters_that_there_are():
    for key, profiles in read_timings(ROOT).items():
        assert (ROOT / f"{key}.md").is_file()
        assert set(profiles) <= {"smoke", "colab", "paper"}
    assert ran()  # the tiny chapter of these tests has none
