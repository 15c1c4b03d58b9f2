"""Turn the staged pages into the site, warnings being errors."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from histolab_lib.bookbuild.chapters import BookError

__all__ = ["build_site"]

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def build_site(staged: Path, site: Path) -> Path:
    """Build the staged book and put it at `site`, replacing what was there only when the build succeeded.

    Parameters
    ----------
    staged : Path
        What `stage` wrote.
    site : Path
        Where the HTML shall lie.

    Returns
    -------
    Path
        The site's ``index.html``.

    Raises
    ------
    BookError
        If the build fails or warns; the message holds the warnings.
    """
    scratch = site.parent / "site"
    shutil.rmtree(scratch, ignore_errors=True)
    command = [
        str(Path(sys.executable).with_name("jupyter-book")),
        *("build", str(staged), "--path-output", str(scratch), "--all", "-W", "-n", "--keep-going"),
    ]
    log = site.parent / "site.log"
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
    output = _COLOUR.sub("", done.stdout + done.stderr)
    log.write_text(output, encoding="utf-8")
    built = scratch / "_build" / "html"
    if done.returncode != 0 or not (built / "index.html").is_file():
        lines = [line for line in output.splitlines() if "WARNING" in line or "ERROR" in line]
        raise BookError("the site was not built:\n" + "\n".join(lines[:20] or [f"see {log}"]) + f"\n  whole log: {log}")
    shutil.rmtree(site, ignore_errors=True)
    shutil.move(built, site)
    shutil.rmtree(scratch, ignore_errors=True)
    return site / "index.html"
