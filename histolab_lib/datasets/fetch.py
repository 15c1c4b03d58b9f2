"""Fetching data sets: from the addresses in the registry, or from archives that a reader puts there by hand."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from histolab_lib.choices import choose
from histolab_lib.data_dir import DataError, tissue_dir
from histolab_lib.datasets.archives import unpack
from histolab_lib.datasets.registry import Download, Entry, entries, modules

__all__ = ["Step", "fetch", "plan"]

_WORK = ".fetching"  # in the folder of the set; removed whatever happens, and at the start of the next run
_TIMEOUT_S = 60  # without a single byte


@dataclass(frozen=True)
class Step:
    """What is to be done about one download.

    Attributes
    ----------
    action : {"keep", "unpack", "download", "by hand"}
        It is there already; its archive lies in the folder; it has an address; or it has none.
    download : Download
        From the registry.
    archive : pathlib.Path
        Where an archive got by hand lies, or is to be put.
    targets : tuple of pathlib.Path
        What is there in the end.
    """

    action: str
    download: Download
    archive: Path
    targets: tuple[Path, ...]

    def __str__(self) -> str:
        item = self.download
        check = f"check sha256 {item.sha256}" if item.sha256 else f"check md5 {item.md5}"
        check = check if item.sha256 or item.md5 else f"no hash to check ({item.verify})"
        brings = f"unpack {', '.join(str(target) for target in self.targets)}"
        size = f" ({item.bytes:,} bytes)" if item.bytes else ""
        mirrors = "".join(f", else {url}" for url in item.mirrors)
        todo = {
            "keep": f"is there: {', '.join(str(target) for target in self.targets)}",
            "unpack": f"take {self.archive}{size}, {check}, {brings}",
            "download": f"download {item.url}{mirrors}{size}, {check}, {brings}",
            "by hand": f"has no address; once {self.archive}{size} is there: {check}, {brings}",
        }
        return f"{item.what}: {todo[self.action]}"


def plan(name: str, to: Path | None = None) -> tuple[Step, ...]:
    """Return what `fetch` would do, one step per archive, without touching disk or network.

    Parameters
    ----------
    name : str
        A set of the registry.
    to : pathlib.Path, optional
        The folder of all sets; by default the one that ``HISTOLAB_DATA`` names, or that name itself where it is unset.

    Returns
    -------
    tuple of Step
        Empty for a set that is made on demand.

    Examples
    --------
    >>> [step.action for step in plan("monuseg", Path("/nowhere"))]
    ['download', 'download']
    >>> plan("synthetic")
    ()
    """
    entry, _ = _entries(name)
    folder = _root(to, needed=False) / entry.folder
    return tuple(_step(item, folder) for item in entry.downloads)


def fetch(
    name: str, to: Path | None = None, *, say: Callable[[str], object] = lambda line: None, progress: bool = False
) -> list[str]:
    """Download, check and unpack what is missing of a set, then validate the whole of it.

    What is there already is kept. An archive that lies in the folder of the set under the name that the registry gives
    it, got by hand, is checked and unpacked like a downloaded one, and left where it is.

    Parameters
    ----------
    name : str
        A set of the registry.
    to : pathlib.Path, optional
        The folder of all sets, made if needed; by default the one that ``HISTOLAB_DATA`` names.
    say : callable
        Takes one line about each step.
    progress : bool
        Show a bar on standard error (needs tqdm).

    Returns
    -------
    list of str
        What the set's ``validate`` finds wrong with the files; empty where all is in order.

    Raises
    ------
    ValueError
        If there is no such set.
    DataError
        If there is no folder to fetch into, or some archive could not be had: the message says why each address
        failed, and what to do by hand. The others are in place then.

    Notes
    -----
    A download starts from its beginning after an interruption. Only one run per set and folder at a time: a second one
    would remove the first one's unfinished files.
    """
    entry, source = _entries(name)
    if not entry.downloads:
        say(f"{name} is made on demand; there is nothing to fetch")
        return []
    folder = _root(to, needed=True) / entry.folder
    failed = []
    for item in entry.downloads:
        step = _step(item, folder)
        say(str(step))
        try:
            _do(step, folder, progress=progress)
        except DataError as error:
            failed.append((step, str(error)))
    if failed:
        raise DataError(_instructions(source, entry, folder, failed))
    return list(modules()[name].validate(folder))


def _entries(name: str) -> tuple[Entry, str]:
    """Return the entry whose files these are, and its name."""
    known = entries()
    entry = known[choose("data set", name, known)]
    source = entry.same_files_as or name
    return known[source], source


def _root(to: Path | None, *, needed: bool) -> Path:
    root = to if to is not None else tissue_dir()
    if root is None and needed:
        raise DataError(
            "HISTOLAB_DATA is not set, and it says where data sets lie: make a folder outside this repository and set "
            "it (export HISTOLAB_DATA=/path/to/folder), or name the folder with --to and set HISTOLAB_DATA to it later"
        )
    return Path("$HISTOLAB_DATA") if root is None else root.expanduser()


def _step(item: Download, folder: Path) -> Step:
    archive = folder / item.file
    targets = tuple(folder / item.into / name for name in item.holds)
    if all(target.exists() for target in targets):
        action = "keep"
    elif archive.is_file():
        action = "unpack"
    else:
        action = "download" if item.url else "by hand"
    return Step(action, item, archive, targets)


def _do(step: Step, folder: Path, *, progress: bool) -> None:
    if step.action == "keep":
        return
    if step.action == "by hand":
        raise DataError("no direct address is known")
    item = step.download
    with _working(folder) as work:
        if step.action == "unpack":
            archive = step.archive
            _check(archive, item)
        else:
            archive = _download(item, work, progress=progress)
        inside = work / "unpacked"
        inside.mkdir()
        unpack(archive, item.holds, folder / item.into, work=inside, max_bytes=item.max_bytes)


@contextmanager
def _working(folder: Path) -> Iterator[Path]:
    """Give an empty folder in the folder of the set, and remove it again, also after an interruption."""
    work = folder / _WORK
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        yield work
    except OSError as error:
        raise DataError(f"{folder}: {error}; is there space, and may you write there?") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _check(archive: Path, item: Download) -> None:
    """Raise unless size and hash are those of the registry."""
    if item.bytes and (size := archive.stat().st_size) != item.bytes:
        raise DataError(f"{archive.name} has {size:,} bytes, expected {item.bytes:,}")
    if not (item.sha256 or item.md5):
        return
    import pooch

    algorithm = "sha256" if item.sha256 else "md5"
    expected = item.sha256 or item.md5
    if (got := pooch.file_hash(str(archive), alg=algorithm)) != expected:
        raise DataError(f"{archive.name} has {algorithm} {got}, expected {expected}")


def _download(item: Download, work: Path, *, progress: bool) -> Path:
    """Try each address in turn; raise with the reason of every one if none gives the file."""
    try:
        import pooch
    except ImportError as error:
        raise DataError("downloading needs pooch; install the extra `data` of histolab-lib") from error
    from requests import RequestException

    get = pooch.HTTPDownloader(
        progressbar=progress, chunk_size=1 << 16, timeout=_TIMEOUT_S, hooks={"response": _refuse_html}
    )
    reasons = []
    for url in (item.url, *item.mirrors):
        archive = work / item.file
        try:
            get(url, str(archive), None)
            _check(archive, item)
            return archive
        except (RequestException, DataError) as error:
            reasons.append(f"{url}: {error}")
    raise DataError("; ".join(reasons))


def _refuse_html(response: Any, *_: object, **__: object) -> None:
    """Raise where a page came instead of a file: a login, a warning, a quota. Redirections may be pages."""
    kind = response.headers.get("content-type", "")
    if response.ok and not response.is_redirect and kind.lower().startswith("text/html"):
        response.close()
        raise DataError(f"answered with a page ({kind}) instead of the file: a login, a quota, or it has moved")


def _instructions(name: str, entry: Entry, folder: Path, failed: list[tuple[Step, str]]) -> str:
    lines = [f"{name}: {len(failed)} of {len(entry.downloads)} archives could not be had."]
    lines += [f"  {step.download.what}: {reason}" for step, reason in failed]
    lines += ["By hand:", f"  page: {entry.page}"]
    if entry.by_hand:
        lines.append(f"  {entry.by_hand}")
    for step, _ in failed:
        instead = " (instead of the one that lies there)" if step.action == "unpack" else ""
        lines.append(f"  save {step.download.what} as {step.archive}{instead}")
    lines.append(f"Then run `histolab data fetch {name}` again: it checks and unpacks what lies there.")
    return "\n".join(lines)
