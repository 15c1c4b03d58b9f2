"""Seal the claim files: ``python -m tests.seal_claims``, with HISTOLAB_PAPERS naming the folder of the papers' texts.

A seal is a hash of a row that agreed with the text of its paper. Whoever has no texts sees by the seals that no row has
changed since. Nothing is written unless every row of every file agrees.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from histolab_lib.claims import HEADER, Claim, load_claims
from tests.claim_tables import READERS
from tests.claim_tables.checks import problems, read

__all__ = ["SEALS", "differences", "disagreements", "main", "seals"]

#: Key of each claim, and the first 12 hexadecimal digits of the SHA-256 of its row.
SEALS = Path(__file__).with_name("claim_seals.json")


def seals(claims: Iterable[Claim]) -> dict[str, str]:
    """Return the seal of each row, over all its columns, by key."""
    rows = {one.key: [str(getattr(one, column) or "") for column in HEADER] for one in claims}
    return {key: hashlib.sha256("\x1f".join(row).encode()).hexdigest()[:12] for key, row in rows.items()}


def differences(claims: Iterable[Claim], sealed: Mapping[str, str]) -> Iterator[str]:
    """Yield the rows that differ from their seals, that have none, or that are gone."""
    now = seals(claims)
    for key in dict.fromkeys((*now, *sealed)):
        if now.get(key) != sealed.get(key):
            what = "has no seal" if key not in sealed else "is gone" if key not in now else "is not as it was sealed"
            yield f"{key} {what}; see 'A published number' in CONTRIBUTING.md"


def disagreements(claims: Iterable[Claim], folder: Path) -> Iterator[str]:
    """Yield what in the claims differs from the texts in `folder`."""
    claims = list(claims)
    for key, paper in READERS.items():
        text = (folder / f"{key}.txt").read_text(encoding="utf-8")
        yield from (f"{key}: {one}" for one in problems(read(paper, text), [c for c in claims if c.paper == key]))


def main() -> str | None:
    """Write the seals; return what stands against it."""
    folder = os.environ.get("HISTOLAB_PAPERS", "")
    if not folder:
        return "HISTOLAB_PAPERS is not set: rows are sealed only where they agree with the papers' texts"
    claims = load_claims()
    if found := list(disagreements(claims, Path(folder))):
        return "\n".join((*found, "nothing sealed"))
    SEALS.write_text(json.dumps(seals(claims), indent=0) + "\n", encoding="utf-8")
    print(f"{len(claims)} rows agree with the texts and are sealed")
    return None


if __name__ == "__main__":
    sys.exit(main())
