"""What ``validate`` is made of: faults as sentences in a list, where ``load`` would raise the first."""

from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = ["absent", "told", "unexpected"]


def told(check: Callable[..., object], *arguments: object) -> list[str]:
    """Return what the check complains of, in a list; an empty one where it passes.

    Examples
    --------
    >>> from histolab_lib.datasets.files import read_rgb
    >>> told(read_rgb, Path("nowhere.png"))
    ['nowhere.png: no such file; unpack the set again']
    """
    try:
        check(*arguments)
    except (OSError, ValueError) as error:
        return [str(error)]
    return []


def absent(folder: Path, paths: Iterable[Path], *, what: str) -> list[str]:
    """Return one sentence that names every path which is no file; nothing where all are.

    Parameters
    ----------
    folder : pathlib.Path
        Holds them all; the sentence names them as they lie below it.
    paths : iterable of pathlib.Path
        What should be there.
    what : str
        What they are, in the plural.
    """
    wanted = list(paths)
    missing = [path.relative_to(folder).as_posix() for path in wanted if not path.is_file()]
    if not missing:
        return []
    if len(missing) == len(wanted):
        return [f"{folder}: expected {len(wanted)} {what}, found none, as {missing[0]}; unpack the set there"]
    return [
        f"{folder}: expected {len(wanted)} {what}, {len(missing)} missing: {', '.join(missing)}; unpack the set again"
    ]


def unexpected(folder: Path, found: Iterable[Path], known: Iterable[Path], *, what: str) -> list[str]:
    """Return one sentence that names every path found which is not among those known.

    Examples
    --------
    >>> unexpected(Path("set"), [Path("set/a.png"), Path("set/b.png")], [Path("set/a.png")], what="images")
    ['set: expected no other images than those of the set, found b.png; move them out, or take the official copy']
    """
    others = sorted(path.relative_to(folder).as_posix() for path in set(found) - set(known))
    if not others:
        return []
    listed = ", ".join(others)
    return [
        f"{folder}: expected no other {what} than those of the set, found {listed}; move them out, or take the "
        "official copy"
    ]
