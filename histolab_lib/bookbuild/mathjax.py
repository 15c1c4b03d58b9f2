"""MathJax for pages that work offline: fetched from npm once, checked file by file, never committed."""

import base64
import hashlib
import logging
import os
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from histolab_lib.data_dir import DataError

__all__ = ["listing_path", "vendor"]

_LOG = logging.getLogger(__name__)
_FETCH_LIMIT_S = 120


def listing_path() -> Path:
    """Return the committed list of what is vendored: ``book/_static/vendor.toml`` of the checkout."""
    return Path(__file__).resolve().parents[2] / "book" / "_static" / "vendor.toml"


def vendor(destination: Path, listing: Path | None = None) -> bool:
    """Put MathJax into a folder, unless it is there already.

    The package comes from npm through its ordinary client, which knows where to ask; it is kept in the user's cache,
    so that a later build needs no network. Only the files named in the listing are taken out of it.

    Parameters
    ----------
    destination : Path
        Such as ``_build/stage/book/_static/mathjax``; made where missing.
    listing : Path, optional
        Version, integrity and hashes; default `listing_path`.

    Returns
    -------
    bool
        True: each file is there and its hash holds. False: npm or the network is missing, nothing was written,
        and a one-line warning says so; pages then load MathJax from its public CDN.

    Raises
    ------
    DataError
        If the package or one of its files is not what the listing says; the message names it.
    """
    listing = listing or listing_path()
    pins = _read_listing(listing)
    if all(_sha256_of(destination / name) == wanted for name, wanted in pins["files"].items()):
        return True
    package = _cached_package(pins)
    if package is None:
        return False
    for name, content in _members(package, pins, listing).items():
        target = destination / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return True


def _read_listing(listing: Path) -> dict[str, Any]:
    try:
        pins: dict[str, Any] = tomllib.loads(listing.read_text(encoding="utf-8"))["mathjax"]
    except (FileNotFoundError, tomllib.TOMLDecodeError, KeyError) as error:
        raise DataError(f"{listing}: expected a [mathjax] table with version, integrity and files ({error})") from error
    return pins


def _sha256_of(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _integrity_of(path: Path) -> str:
    """As npm writes it in lock files: ``sha512-`` and base64."""
    return "sha512-" + base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


def _cached_package(pins: dict[str, Any]) -> Path | None:
    """Return the checked package, fetched where the cache has none; None where it cannot be fetched."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cached = home / "histolab-book" / f"mathjax-{pins['version']}.tgz"
    if cached.is_file() and _integrity_of(cached) == pins["integrity"]:
        return cached
    cached.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cached.parent) as scratch:
        fetched = _fetch(f"mathjax@{pins['version']}", Path(scratch))
        if fetched is None:
            return None
        found = _integrity_of(fetched)
        if found != pins["integrity"]:
            raise DataError(f"npm package mathjax {pins['version']}: expected {pins['integrity']}, got {found}")
        return fetched.replace(cached)


def _fetch(package: str, folder: Path) -> Path | None:
    npm = shutil.which("npm")
    if npm is None:
        _LOG.warning("npm is not installed: %s is not vendored, pages load it from its public CDN", package)
        return None
    command = [npm, "pack", package, "--silent", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words and a pinned name
            command, cwd=folder, capture_output=True, text=True, timeout=_FETCH_LIMIT_S, check=False
        )
        fault = f"npm ended with {done.returncode}"
    except subprocess.TimeoutExpired:
        fault = f"npm took more than {_FETCH_LIMIT_S} s"
    fetched = sorted(folder.glob("*.tgz"))
    if fetched:
        return fetched[0]
    _LOG.warning("%s: %s is not vendored, pages load it from its public CDN", fault, package)
    return None


def _members(package: Path, pins: dict[str, Any], listing: Path) -> dict[str, bytes]:
    """Read the listed files out of the package, by name, and check each; nothing is unpacked to a path it names."""
    contents = {}
    with tarfile.open(package) as archive:
        for name, wanted in pins["files"].items():
            member = "package/LICENSE" if name == "LICENSE" else f"package/es5/{name}"
            try:
                stream = archive.extractfile(member)
            except KeyError:
                stream = None
            content = stream.read() if stream else b""
            found = hashlib.sha256(content).hexdigest()
            if found != wanted:
                raise DataError(f"{package.name}: {member} has sha256 {found}, but {listing.name} says {wanted}")
            contents[name] = content
    return contents
