"""Where data lies: the project's own ``data/`` folder, and the reader's folder of real tissue."""

import os
from pathlib import Path

__all__ = ["DataError", "cache_dir", "data_dir", "tissue_dir"]

_PACKAGE = Path(__file__).resolve().parent


class DataError(ValueError):
    """A file or folder of data is missing, damaged or not what it should be; the message names it."""


def data_dir() -> Path:
    """Return the project's ``data/`` folder: registry, facts, claims and records.

    In an installed wheel it is ``histolab_lib/_data``; in a checkout (editable install) it is the
    folder beside the package.

    Raises
    ------
    DataError
        If neither place exists, which means a broken installation.
    """
    for folder in (_PACKAGE / "_data", _PACKAGE.parent / "data"):
        if (folder / "registry.toml").is_file():
            return folder
    raise DataError(
        f"found no data folder at {_PACKAGE / '_data'} or {_PACKAGE.parent / 'data'}; reinstall histolab-lib"
    )


def cache_dir() -> Path:
    """Return the folder for what can be made again, as ``HISTOLAB_CACHE`` or the system says; it need not exist.

    Without ``HISTOLAB_CACHE`` it is ``histolab`` in ``XDG_CACHE_HOME``, or in ``~/.cache``.
    """
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("HISTOLAB_CACHE") or Path(home) / "histolab").expanduser()


def tissue_dir() -> Path | None:
    """Return the folder of real tissue that ``HISTOLAB_DATA`` names, or None where it is unset or empty.

    Raises
    ------
    DataError
        If ``HISTOLAB_DATA`` names something that is not a folder.
    """
    value = os.environ.get("HISTOLAB_DATA", "")
    if not value:
        return None
    folder = Path(value).expanduser()
    if not folder.is_dir():
        raise DataError(
            f"HISTOLAB_DATA is {value!r}, which is not a folder; set it to the folder that holds "
            "monuseg/, tnbc/, glas/ ..., or unset it to work on synthetic tissue"
        )
    return folder
