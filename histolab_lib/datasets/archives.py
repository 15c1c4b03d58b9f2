"""Unpacking a zip that somebody else made: hostile members are refused, and nothing half done looks complete."""

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from histolab_lib.data_dir import DataError

__all__ = ["unpack"]

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}
_FLAG_ENCRYPTED = 1


def unpack(archive: Path, holds: Iterable[str], into: Path, *, work: Path, max_bytes: int) -> list[Path]:
    """Unpack a zip archive and put what it is known to hold into a folder.

    Every member is written to ``work`` first; what it holds is renamed into place only when all of it is there, so an
    interruption at any moment leaves either nothing under its final name or the whole of it.

    Parameters
    ----------
    archive : pathlib.Path
        The zip.
    holds : iterable of str
        Names of the folders or files to keep. They are looked for at the top of the archive, then one folder deeper
        and so on, all of them in the same place.
    into : pathlib.Path
        Where they go; made if needed.
    work : pathlib.Path
        An empty folder on the same disk, for the time of unpacking. The caller removes it.
    max_bytes : int
        What the archive may unpack to.

    Returns
    -------
    list of pathlib.Path
        What was put into place.

    Raises
    ------
    DataError
        If the archive is damaged or encrypted; holds an absolute path, one with ``..``, a name twice, a link, a device
        or more bytes than allowed; does not bring what it should; or would replace something that is already there.
    """
    holds = tuple(holds)
    targets = [into / name for name in holds]
    if there := [target for target in targets if target.exists()]:
        raise DataError(f"{there[0]} is there already; move it away or delete it, and fetch again")
    _extract(archive, work, max_bytes)
    found = _locate(archive, work, holds)
    into.mkdir(parents=True, exist_ok=True)
    for name, target in zip(holds, targets, strict=True):
        (found / name).rename(target)
    return targets


def _extract(archive: Path, work: Path, max_bytes: int) -> None:
    try:
        with zipfile.ZipFile(archive) as file:
            total = sum(member.file_size for member in _safe(archive, file.infolist()))
            if total > max_bytes:
                raise DataError(
                    f"{archive.name}: says it unpacks to {total:,} bytes, at most {max_bytes:,} are allowed"
                )
            if total > (free := shutil.disk_usage(work).free):
                raise DataError(
                    f"{archive.name}: unpacks to {total:,} bytes, but {work.anchor or work} has {free:,} free"
                )
            file.extractall(work)  # a member never yields more than it says, and its checksum is compared
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        with archive.open("rb") as opened:
            head = opened.read(16)
        raise DataError(f"{archive.name}: not a whole zip archive ({error}; it begins with {head!r})") from error


def _safe(archive: Path, members: Iterable[zipfile.ZipInfo]) -> Iterator[zipfile.ZipInfo]:
    """Yield the members, or raise at the first one that an honest archive of pictures would not have."""
    seen: set[str] = set()
    for member in members:
        name, path = member.orig_filename, PurePosixPath(member.orig_filename)
        kind = stat.S_IFMT(member.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[:1][0]:
            problem = "a path that leads outside"
        elif kind in _KINDS:
            problem = _KINDS[kind]
        elif member.flag_bits & _FLAG_ENCRYPTED:
            problem = "encrypted"
        elif str(path).casefold() in seen:
            problem = "there twice"
        else:
            seen.add(str(path).casefold())
            yield member
            continue
        raise DataError(
            f"{archive.name}: member {name!r} is {problem}; nothing was unpacked, for no official archive has that"
        )


def _locate(archive: Path, work: Path, holds: tuple[str, ...]) -> Path:
    """Return the folder that has all of ``holds``, the least deep where there are several."""
    folders = [work, *sorted((path for path in work.rglob("*") if path.is_dir()), key=lambda path: len(path.parts))]
    for folder in folders:
        if all((folder / name).exists() for name in holds):
            return folder
    top = sorted(path.name for path in work.iterdir())
    raise DataError(
        f"{archive.name}: expected {', '.join(holds)} in it, found at the top {', '.join(top) or 'nothing'}"
    )
