import numpy as np
import pytest

from histolab_lib.data_dir import DataError
from histolab_lib.datasets import drawn
from histolab_lib.datasets.drawn import draw_annotation

XML = """<?xml version="1.0"?><Annotations MicronsPerPixel="0.25"><Annotation><Regions>
<Region Id="1" NegativeROA="0" Type="0"><Vertices>{}</Vertices></Region></Regions></Annotation></Annotations>"""
SQUARE = "".join(f'<Vertex X="{x}" Y="{y}" Z="0"/>' for x, y in ((1, 1), (5, 1), (5, 5), (1, 5)))
WIDER = SQUARE.replace('X="5"', 'X="7"')


@pytest.fixture
def outlines(tmp_path, monkeypatch):
    monkeypatch.setenv("HISTOLAB_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "tile.xml"
    path.write_text(XML.format(SQUARE))
    return path


@pytest.fixture
def reads(monkeypatch):
    """How often an XML was parsed."""
    count = []
    parse = drawn.read_annotation
    monkeypatch.setattr(drawn, "read_annotation", lambda *given: count.append(given) or parse(*given))
    return count


def _same(one, other):
    return (one[0] == other[0]).all() and one[0].dtype == other[0].dtype and one[1:] == other[1:]


def test_a_drawing_is_kept_and_taken_again_without_reading_the_xml(outlines, reads):
    first = draw_annotation(outlines, (8, 8), "official")
    assert first[0].sum() == 16
    assert first[1:] == (0.25, {"regions": 1, "degenerate": 0, "overhanging": 0, "negative": 0})
    assert _same(first, draw_annotation(outlines, (8, 8), "official"))
    assert len(reads) == 1


@pytest.mark.parametrize("change", ["file", "shape", "raster", "code"])
def test_a_drawing_is_made_anew_when_anything_that_decides_it_changed(outlines, reads, monkeypatch, change):
    draw_annotation(outlines, (8, 8), "official")
    if change == "file":
        outlines.write_text(XML.format(WIDER))
    if change == "code":
        monkeypatch.setattr(drawn, "_drawing_code", lambda: "another version")
    shape = (9, 9) if change == "shape" else (8, 8)
    again = draw_annotation(outlines, shape, "skimage" if change == "raster" else "official")
    assert len(reads) == 2
    assert again[0].shape == shape
    assert again[0].sum() == {"file": 24, "raster": 25}.get(change, 16)


@pytest.mark.parametrize("spoil", [lambda p: p.write_bytes(p.read_bytes()[:50]), lambda p: p.write_bytes(b"")])
def test_a_damaged_drawing_is_made_anew_and_mended(outlines, reads, spoil):
    first = draw_annotation(outlines, (8, 8), "official")
    (kept,) = drawn.cache_dir().rglob("*.npz")
    spoil(kept)
    assert _same(first, draw_annotation(outlines, (8, 8), "official"))
    assert _same(first, draw_annotation(outlines, (8, 8), "official"))
    assert len(reads) == 2


def test_without_a_place_to_keep_it_the_drawing_is_made_every_time(outlines, reads, monkeypatch, tmp_path):
    (tmp_path / "a file").write_text("in the way")
    monkeypatch.setenv("HISTOLAB_CACHE", str(tmp_path / "a file" / "cache"))
    first = draw_annotation(outlines, (8, 8), "official")
    assert _same(first, draw_annotation(outlines, (8, 8), "official"))
    assert len(reads) == 2


def test_nothing_is_left_of_a_drawing_that_could_not_be_written_whole(outlines, monkeypatch):
    def full(*_given, **_named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    assert draw_annotation(outlines, (8, 8), "official")[0].any()
    assert not [path for path in drawn.cache_dir().rglob("*") if path.is_file()]


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(DataError, match=r"none\.xml"):
        draw_annotation(tmp_path / "none.xml", (8, 8), "official")
