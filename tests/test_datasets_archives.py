"""Hostile and damaged archives, made here with the standard library."""

import io
import shutil
import stat
import struct
import warnings
import zipfile
from types import SimpleNamespace

import pytest

from histolab_lib.data_dir import DataError
from histolab_lib.datasets.archives import unpack

FILES = {"pictures/a.txt": b"a", "pictures/deep/b.txt": b"b"}


def member(name, kind=0, data=b"x"):
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    info.external_attr = (kind | 0o644) << 16
    return info, data


def zipped(path, *members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name twice
        for name, data in (*FILES.items(), *members):
            file.writestr(name, data)
    return path


@pytest.fixture
def put(tmp_path):
    """Unpack an archive as `fetch` does; the answer is what lies in the folder of the set afterwards."""
    work, into = tmp_path / "work", tmp_path / "set"
    work.mkdir()

    def call(archive, holds=("pictures",), max_bytes=1000):
        unpack(archive, holds, into, work=work, max_bytes=max_bytes)
        return {path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_file()}

    call.into, call.work = into, work
    return call


def test_what_an_archive_should_hold_is_put_into_place(put, tmp_path):
    assert put(zipped(tmp_path / "a.zip", ("readme", b"not asked for"))) == {"pictures/a.txt", "pictures/deep/b.txt"}
    assert (put.into / "pictures" / "deep" / "b.txt").read_bytes() == b"b"


@pytest.mark.parametrize("wrap", ["", "one/", "one/two/"])
def test_it_is_found_however_deep_it_is_wrapped(put, tmp_path, wrap):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name in ("train/1", "test/2", "__MACOSX/train/._1"):
            file.writestr(wrap + name, b"")
    assert put(tmp_path / "a.zip", holds=("train", "test")) == {"train/1", "test/2"}


@pytest.mark.parametrize(
    ("name", "kind", "problem"),
    [
        ("../outside", 0, "a path that leads outside"),
        ("pictures/../../outside", 0, "a path that leads outside"),
        ("/etc/outside", 0, "a path that leads outside"),
        ("pictures\\..\\..\\outside", 0, "a path that leads outside"),
        ("C:/outside", 0, "a path that leads outside"),
        ("pictures/link", stat.S_IFLNK, "a symbolic link"),
        ("pictures/null", stat.S_IFCHR, "a device"),
        ("pictures/disk", stat.S_IFBLK, "a device"),
        ("pictures/pipe", stat.S_IFIFO, "a pipe"),
        ("pictures/socket", stat.S_IFSOCK, "a socket"),
        ("pictures/a.txt", 0, "there twice"),
        ("pictures/A.TXT", 0, "there twice"),
    ],
)
def test_a_hostile_member_is_named_and_nothing_is_unpacked(put, tmp_path, name, kind, problem):
    archive = zipped(tmp_path / "a.zip", member(name, kind, b"/etc/passwd"))
    with pytest.raises(DataError, match=rf"a\.zip: member '.*' is {problem}; nothing was unpacked") as error:
        put(archive)
    assert repr(name) in str(error.value)
    assert not put.into.exists()
    assert list(put.work.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "work"]


def test_an_encrypted_member_is_refused(put, tmp_path):
    content = bytearray(zipped(tmp_path / "a.zip").read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # general purpose flag of the first entry in the directory
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"member 'pictures/a\.txt' is encrypted"):
        put(tmp_path / "a.zip")


def test_an_archive_that_unpacks_to_more_than_allowed_is_refused(put, tmp_path):
    bomb = zipped(tmp_path / "a.zip", ("pictures/zeros", bytes(10**6)), compression=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 3000
    with pytest.raises(DataError, match=r"says it unpacks to 1,000,002 bytes, at most 5,000 are allowed"):
        put(bomb, max_bytes=5000)
    assert list(put.work.iterdir()) == []


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_says(put, tmp_path):
    bomb = zipped(tmp_path / "a.zip", ("pictures/zeros", bytes(10**6)), compression=zipfile.ZIP_DEFLATED)
    lie = bomb.read_bytes().replace(struct.pack("<I", 10**6), struct.pack("<I", 7))
    bomb.write_bytes(lie)
    with pytest.raises(DataError, match=r"not a whole zip archive \(Bad CRC-32"):
        put(bomb, max_bytes=5000)
    assert sum(path.stat().st_size for path in put.work.rglob("*") if path.is_file()) < 5000
    assert not put.into.exists()


def test_more_than_the_disk_holds_is_refused_before_it_is_full(put, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1))
    with pytest.raises(DataError, match=r"unpacks to 2 bytes, but .* has 1 free"):
        put(zipped(tmp_path / "a.zip"))


def test_a_damaged_archive_shows_how_it_begins(put, tmp_path):
    whole = zipped(tmp_path / "a.zip", ("pictures/c", bytes(500)))
    for content in (whole.read_bytes()[:400], b"<!DOCTYPE html><title>Log in</title>", b""):
        whole.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.zip: not a whole zip archive .*begins with b['\"]") as error:
            put(whole)
        assert repr(content[:16]) in str(error.value)


def test_a_flipped_bit_leaves_nothing_in_place(put, tmp_path):
    content = zipped(tmp_path / "a.zip", ("pictures/c", b"0123456789")).read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace(b"0123456789", b"0123456788"))
    with pytest.raises(DataError, match="Bad CRC-32 for file 'pictures/c'"):
        put(tmp_path / "a.zip")
    assert not put.into.exists()


def test_an_archive_of_something_else_tells_what_it_holds(put, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("photos/1", b"")
    with pytest.raises(DataError, match=r"expected pictures in it, found at the top photos$"):
        put(tmp_path / "a.zip")
    (put.work / "photos" / "1").unlink()
    (tmp_path / "b.zip").write_bytes(io.BytesIO(b"PK\x05\x06" + bytes(18)).getvalue())
    (put.work / "photos").rmdir()
    with pytest.raises(DataError, match=r"b\.zip: expected pictures in it, found at the top nothing$"):
        put(tmp_path / "b.zip")


def test_nothing_that_is_there_is_replaced(put, tmp_path):
    (put.into / "pictures").mkdir(parents=True)
    (put.into / "pictures" / "mine").write_text("mine")
    with pytest.raises(DataError, match=r"set/pictures is there already; move it away or delete it, and fetch again"):
        put(zipped(tmp_path / "a.zip"))
    assert [path.name for path in (put.into / "pictures").iterdir()] == ["mine"]


def test_an_interruption_while_unpacking_leaves_nothing_in_place(put, tmp_path, monkeypatch):
    copy, copied = shutil.copyfileobj, []

    def interrupt(*arguments):
        if copied:
            raise KeyboardInterrupt
        copied.append(copy(*arguments))

    monkeypatch.setattr("shutil.copyfileobj", interrupt)
    with pytest.raises(KeyboardInterrupt):
        put(zipped(tmp_path / "a.zip"))
    assert not put.into.exists()
    assert (put.work / "pictures" / "a.txt").exists()
