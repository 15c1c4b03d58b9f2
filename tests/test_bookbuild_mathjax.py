import base64
import hashlib
import io
import logging
import re
import tarfile
import tomllib
from pathlib import Path

import pytest

from histolab_lib.bookbuild import mathjax
from histolab_lib.bookbuild.mathjax import listing_path, vendor
from histolab_lib.data_dir import DataError

FILES = {"package/LICENSE": b"licence", "package/es5/tex-chtml.js": b"script", "package/es5/output/font.woff": b"font"}


def pack(folder, files=FILES):
    folder.mkdir(exist_ok=True)
    path = folder / "mathjax-9.9.9.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {**files, "package/../../evil": b"x"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_listing(folder, package, files=FILES):
    integrity = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    lines = ["[mathjax]", 'version = "9.9.9"', f'integrity = "sha512-{integrity}"', "[mathjax.files]"]
    for name, content in files.items():
        short = name.removeprefix("package/").removeprefix("es5/")
        lines.append(f'"{short}" = "{hashlib.sha256(content).hexdigest()}"')
    (folder / "vendor.toml").write_text("\n".join(lines))
    return folder / "vendor.toml"


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A package on a pretended npm; `fetches` notes each time that it is asked."""
    package = pack(tmp_path / "npm")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fetches = []

    def fetch(name, folder):
        fetches.append(name)
        return (
            Path(folder / "mathjax-9.9.9.tgz")
            if (folder / "mathjax-9.9.9.tgz").write_bytes(package.read_bytes())
            else None
        )

    monkeypatch.setattr(mathjax, "_fetch", fetch)
    return tmp_path, write_listing(tmp_path, package), fetches


def test_the_listed_files_and_no_others_are_put_in_place(world):
    folder, listing, fetches = world
    assert vendor(folder / "out", listing) is True
    found = {path.relative_to(folder / "out").as_posix(): path.read_bytes() for path in (folder / "out").rglob("*.*")}
    assert found == {"tex-chtml.js": b"script", "output/font.woff": b"font"}
    assert (folder / "out/LICENSE").read_bytes() == b"licence"
    assert not list(folder.rglob("evil"))
    assert fetches == ["mathjax@9.9.9"]


def test_a_second_call_fetches_nothing_and_writes_nothing(world):
    folder, listing, fetches = world
    vendor(folder / "out", listing)
    before = (folder / "out/tex-chtml.js").stat().st_mtime_ns
    assert vendor(folder / "out", listing) is True
    assert (folder / "out/tex-chtml.js").stat().st_mtime_ns == before
    assert len(fetches) == 1


def test_another_folder_is_filled_from_the_cache(world):
    folder, listing, fetches = world
    vendor(folder / "out", listing)
    assert vendor(folder / "other", listing) is True
    assert len(fetches) == 1


def test_a_file_changed_on_disk_is_put_right(world):
    folder, listing, _ = world
    vendor(folder / "out", listing)
    (folder / "out/tex-chtml.js").write_text("something else")
    assert vendor(folder / "out", listing) is True
    assert (folder / "out/tex-chtml.js").read_bytes() == b"script"


def test_a_damaged_package_in_the_cache_is_fetched_again(world):
    folder, listing, fetches = world
    vendor(folder / "out", listing)
    (folder / "cache/histolab-book/mathjax-9.9.9.tgz").write_bytes(b"torn")
    assert vendor(folder / "other", listing) is True
    assert len(fetches) == 2


def test_a_package_with_another_hash_is_refused(world):
    folder, listing, _ = world
    listing.write_text(listing.read_text().replace('integrity = "sha512-', 'integrity = "sha512-0'))
    with pytest.raises(DataError, match=r"npm package mathjax 9.9.9: expected sha512-0.*, got sha512-"):
        vendor(folder / "out", listing)
    assert not (folder / "out").exists()


def test_a_file_with_another_hash_is_named_and_nothing_is_written(world):
    folder, listing, _ = world
    right = hashlib.sha256(b"font").hexdigest()
    listing.write_text(listing.read_text().replace(right, "0" * 64))
    with pytest.raises(DataError, match=rf"package/es5/output/font.woff has sha256 {right}, but vendor.toml says 000"):
        vendor(folder / "out", listing)
    assert not (folder / "out").exists()


def test_a_file_that_the_package_lacks_is_named(world):
    folder, listing, _ = world
    with listing.open("a") as text:
        text.write(f'\n"absent.js" = "{"0" * 64}"\n')
    with pytest.raises(DataError, match=r"package/es5/absent.js"):
        vendor(folder / "out", listing)


def test_without_npm_the_answer_is_no_and_says_why(tmp_path, monkeypatch, caplog):
    listing = write_listing(tmp_path, pack(tmp_path / "npm"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(mathjax.shutil, "which", lambda name: None)
    with caplog.at_level(logging.WARNING):
        assert vendor(tmp_path / "out", listing) is False
    assert caplog.messages == ["npm is not installed: mathjax@9.9.9 is not vendored, pages load it from its public CDN"]
    assert not (tmp_path / "out").exists()


def test_where_npm_cannot_fetch_the_answer_is_no_and_says_why(tmp_path, monkeypatch, caplog):
    npm = tmp_path / "npm-that-fails"
    npm.write_text("#!/bin/sh\nexit 7\n")
    npm.chmod(0o755)
    listing = write_listing(tmp_path, pack(tmp_path / "npm"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(mathjax.shutil, "which", lambda name: str(npm))
    assert vendor(tmp_path / "out", listing) is False
    assert caplog.messages == ["npm ended with 7: mathjax@9.9.9 is not vendored, pages load it from its public CDN"]


def test_a_listing_that_is_missing_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.toml: expected a \[mathjax\] table"):
        vendor(tmp_path / "out", tmp_path / "nowhere.toml")


def test_the_committed_listing_has_a_hash_for_the_script_and_each_font():
    pins = tomllib.loads(listing_path().read_text(encoding="utf-8"))["mathjax"]
    assert (pins["version"], pins["licence"]) == ("3.2.2", "Apache-2.0")
    assert "tex-chtml.js" in pins["files"]
    assert "LICENSE" in pins["files"]
    assert sum(name.endswith(".woff") for name in pins["files"]) == 23
    assert all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in pins["files"].values())
