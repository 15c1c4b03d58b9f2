"""``Grade.csv`` of GlaS: patient and grades of each image, in a file with oddities of its own.

The header and the values of the two last columns begin with a space, the lines end with CR LF, one of the grades is
misspelt (*differentated*, put right here), and images are sorted as words (``testA_1``, ``testA_10``).
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from histolab_lib.data_dir import DataError

__all__ = ["FILE", "GRADES", "Grade", "grade_problems", "read_grades"]

FILE = "Grade.csv"
#: What the contest calls an image, and what Sirinukunwattana et al. (2015) call it.
GRADES = (
    ("benign", "malignant"),
    (
        "healthy",
        "adenomatous",
        "moderately differentiated",
        "moderately-to-poorly differentiated",
        "poorly differentiated",
    ),
)

_HEADER = ["name", "patient ID", "grade (GlaS)", "grade (Sirinukunwattana et al. 2015)"]


@dataclass(frozen=True)
class Grade:
    """One row: the patient's number, and the grade by the contest and by the paper of 2015 (see `GRADES`)."""

    patient: str
    grade: str
    grade_2015: str


def read_grades(path: Path, tiles: Iterable[str]) -> dict[str, Grade]:
    """Read the file, and keep the rows of these tiles.

    Parameters
    ----------
    path : pathlib.Path
        ``Grade.csv``.
    tiles : iterable of str
        Names of images, each of which must have a row.

    Raises
    ------
    DataError
        If the file is missing or no text, if its header is another, if any row is malformed or comes twice, or if
        one of these tiles has none.
    """
    wanted = list(tiles)
    rows, problems = _rows(path)
    problems = problems or _missing(path, rows, wanted)
    if problems:
        more = f" (and {len(problems) - 1} more faults of this file)" if len(problems) > 1 else ""
        raise DataError(problems[0] + more)
    return {name: grade for name in wanted if (grade := rows[name])}


def grade_problems(path: Path, tiles: Iterable[str]) -> list[str]:
    """Return every fault of the file, a sentence each, rows of images that are none of these tiles included."""
    known = list(tiles)
    rows, problems = _rows(path)
    if problems and not rows:
        return problems
    if others := [name for name in rows if name not in known]:
        problems.append(f"{path}: expected rows of the {len(known)} images of the set, found also {', '.join(others)}")
    return problems + _missing(path, rows, known)


def _missing(path: Path, rows: Iterable[str], wanted: list[str]) -> list[str]:
    missing = [name for name in wanted if name not in rows]
    if not missing:
        return []
    return [f"{path}: expected a row for each of {len(wanted)} images, found none for {', '.join(missing)}"]


def _rows(path: Path) -> tuple[dict[str, Grade | None], list[str]]:
    """Return the rows by image, None where one cannot be used, and what is wrong with the file."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file, skipinitialspace=True, strict=True))
    except FileNotFoundError:
        return {}, [f"{path}: no such file, which tells the patient of each image; unpack the set again"]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return {}, [f"{path}: cannot be read as CSV ({error}); unpack the set again"]
    header = lines[0] if lines else []
    if header != _HEADER:
        return {}, [f"{path}: expected the columns {', '.join(_HEADER)}, found {', '.join(header) or 'an empty file'}"]
    rows: dict[str, Grade | None] = {}
    problems = []
    for number, line in enumerate(lines[1:], start=2):
        if not line:  # a blank line, as editors leave at the end
            continue
        name = line[0].strip()
        grade, problem = (None, f"a second row for {name}") if name in rows else _row(line)
        rows.setdefault(name, grade)
        if problem:
            problems.append(f"{path}, line {number}: {problem}; take the original")
    return rows, problems


def _row(line: list[str]) -> tuple[Grade | None, str]:
    """Return the row, or what is wrong with it."""
    if len(line) != len(_HEADER):
        return None, f"expected {len(_HEADER)} fields, found {len(line)}"
    _, patient, *given = (value.strip() for value in line)
    if not patient.isdecimal():
        return None, f"expected the number of a patient, found {patient!r}"
    grades = [value.replace("differentated", "differentiated") for value in given]
    for value, allowed in zip(grades, GRADES, strict=True):
        if value not in allowed:
            return None, f"expected a grade, one of {', '.join(allowed)}, found {value!r}"
    return Grade(patient, *grades), ""
