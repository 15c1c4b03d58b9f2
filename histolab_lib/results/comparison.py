"""What papers print beside what is recorded: one line for each network, set, split and metric."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from histolab_lib.claims import DISTANCES, PAPERS, Claim, load_claims, network_called, variants_of
from histolab_lib.datasets.registry import modules
from histolab_lib.record import LEAK, Record
from histolab_lib.results.store import across_seeds, results_dir, words
from histolab_lib.wanted import SCHEDULE_NAMES, UNTRAINED, Job, read_queue

__all__ = ["NOTHING", "NOT_RUN", "Row", "compare", "lines_of", "network_of", "table", "variant_of"]

#: What a cell without a record reads, and one that there can be no record for.
NOT_RUN, NOTHING = "not run", "-"

_NUCLEI, _GLANDS = ("dice", "aji", "pq"), ("dice", "object_f1", "object_dice", "object_hausdorff")
_HEAD: tuple[str, ...] = ("network", "set", "split", "metric", "paper", "released code", "ours", "difference")


class _Subject(NamedTuple):
    key: str
    dataset: str
    variant: str


class Row(NamedTuple):
    """One line of the comparison.

    Attributes
    ----------
    key, dataset, variant, split, metric : str
    printed : tuple of Claim
        What papers print for it.
    code, ours : str
        What the reading of the released code, and what the paper's reading (or the clean protocol) reached here:
        mean, interval, schedule, how many seeds; `NOT_RUN`; or `NOTHING`, where no code was released.
    differences : tuple of float
        Ours minus each of the printed numbers, in the unit of the metric; empty where there is none of either.
    runs : tuple of Record
        Those that `ours` is made of: they differ by their seed alone.
    """

    key: str
    dataset: str
    variant: str
    split: str
    metric: str
    printed: tuple[Claim, ...]
    code: str
    ours: str
    differences: tuple[float, ...]
    runs: tuple[Record, ...]

    @property
    def paper(self) -> str:
        """What papers print, as printed, with who prints it where that is another paper, and as what if not alike."""
        several = len({(one.paper, one.metric) for one in self.printed}) > len({one.paper for one in self.printed})
        return "; ".join(
            f"{f'{one.metric} ' if several else ''}{one.value}{' %' if one.unit == 'percent' else ''}"
            f"{'' if one.paper == self.key else f' ({one.paper})'}"
            for one in self.printed
        )


_Place: TypeAlias = tuple[str, str, str, str, str]  # network, variant, set, split, metric
_Published: TypeAlias = Mapping[_Place, list[Claim]]


def network_of(claim: Claim) -> str | None:
    """Return the key of the network that a published score is about; None where that is none of this book.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> network_of(claim("histoseg/table-iv/u-net++/glas/test/f1"))
    'unetpp'
    """
    if claim.row in variants_of(claim.paper):
        return claim.paper
    return network_called(claim.row, claim.paper)


def variant_of(claim: Claim) -> str:
    """Return the variant of our recipe that a published score is about: ``"base"`` but for rows of an ablation.

    Examples
    --------
    >>> from histolab_lib.claims import claim
    >>> variant_of(claim("histoseg/table-v/self-attention/glas/test/iou"))
    'self'
    """
    return variants_of(claim.paper).get(claim.row, "base")


def _meant(key: str, variant: str) -> str:
    """What papers could print of such a run: rules for glands change no network, and nobody prints our baselines."""
    parts = [part for part in variant.split("__") if part != "glands"]
    return "__".join(parts) or "base" if key in PAPERS else "base"


def compare(
    records: Sequence[Record], claims: Iterable[Claim] | None = None, jobs: Iterable[Job] | None = None
) -> list[Row]:
    """Join wanted runs, recorded ones and published scores.

    Parameters
    ----------
    records : sequence of Record
    claims : iterable of Claim, optional
        Default: those of this book.
    jobs : iterable of Job, optional
        Wanted runs; those of a network as it is meant, and of the rows of papers' tables, have a line whether they are
        recorded or not. Default: the queue.

    Returns
    -------
    list of Row
        In the order of the queue, then by name. Runs of the schedule ``smoke`` and exhibits that chose on test data
        are not among them; of several schedules the longest is shown.
    """
    wanted = list(_queued() if jobs is None else jobs)
    released = {(job.key, job.data) for job in wanted if job.reading == "code"}
    published = _published(load_claims() if claims is None else claims)
    runs: dict[_Subject, list[Record]] = {}
    for record in records:
        if record.schedule != "smoke" and LEAK not in record.variant.split("__"):
            runs.setdefault(_Subject(record.key, record.dataset, record.variant), []).append(record)
    subjects = [_Subject(job.key, job.data, job.record_variant) for job in wanted]
    printed_of = {place[:3] for place in published}
    subjects = [one for one in subjects if _is_told(one, printed_of)] + sorted(runs)
    return [
        row
        for subject in dict.fromkeys(subjects)
        for row in _rows(subject, runs.get(subject, []), published, subject[:2] in released)
    ]


def _is_told(subject: _Subject, printed_of: Container[tuple[str, str, str]]) -> bool:
    """Whether a wanted run has a line before there is a record of it."""
    meant = _meant(subject.key, subject.variant)
    return subject.variant in ("base", "glands") or (
        meant != "base" and (subject.key, meant, subject.dataset) in printed_of
    )


def _queued() -> list[Job]:
    path = results_dir().parent / "queue.yaml"
    return read_queue(path, SCHEDULE_NAMES[-1]) if path.is_file() else []


def _published(claims: Iterable[Claim]) -> _Published:
    """By network, variant, set, split and metric; what a paper repeats stands once, as its table prints it."""
    found: dict[_Place, list[Claim]] = {}
    for claim in sorted(claims, key=lambda one: not one.location.startswith("Table")):
        key = network_of(claim)
        if key is not None and claim.averaging and claim.dataset in modules() and claim.number is not None:
            metric = "dice" if claim.metric == "f1" else claim.metric  # of pixels, the same number
            known = found.setdefault((key, variant_of(claim), claim.dataset, claim.split, metric), [])
            if (claim.paper, _share(claim)) not in {(one.paper, _share(one)) for one in known}:
                known.append(claim)
    return found


def _share(claim: Claim) -> float:
    """The printed number, percent as a share of 1."""
    return float(claim.number or 0) / (100 if claim.unit == "percent" else 1)


def _rows(subject: _Subject, runs: Sequence[Record], published: _Published, released: bool) -> Iterator[Row]:
    about = (subject.key, _meant(subject.key, subject.variant), subject.dataset)
    printed = {place[3:]: claims for place, claims in published.items() if place[:3] == about}
    usual: tuple[str, ...] = _GLANDS if subject.dataset == "glas" else _NUCLEI
    if not runs and not printed:
        usual = usual[:1]  # one line says that there is nothing
    splits = [*(runs[0].summary if runs else dict.fromkeys(split for split, _ in printed) or ["test"])]
    places = dict.fromkeys((split, metric) for split in splits for metric in usual) | dict.fromkeys(sorted(printed))
    for split, metric in places:
        claims = tuple(printed.get((split, metric), ()))
        code = _longest([run for run in runs if run.reading == "code"], split, metric)
        ours = _longest([run for run in runs if run.reading != "code"], split, metric)
        yield Row(
            *subject,
            split,
            metric,
            claims,
            _cell(code, split, metric) if released or code else NOTHING,
            _cell(ours, split, metric),
            _differences(ours, split, metric, claims),
            tuple(ours),
        )


def _longest(runs: Sequence[Record], split: str, metric: str) -> list[Record]:
    """All seeds of the longest schedule; the paper's reading before the clean protocol."""
    able = [run for run in runs if metric in run.summary.get(split, {})]

    def rank(run: Record) -> tuple[int, int]:
        order = (UNTRAINED, *SCHEDULE_NAMES)
        return (run.reading == "paper", order.index(run.schedule) if run.schedule in order else -1)

    best = max(map(rank, able), default=None)
    return [run for run in able if rank(run) == best]


def _cell(runs: Sequence[Record], split: str, metric: str) -> str:
    if not runs:
        return NOT_RUN
    found = across_seeds(runs, split, metric)
    mean, low, high = (words(value, metric) for value in (found.mean, found.low, found.high))
    how = [] if runs[0].schedule == UNTRAINED else [runs[0].schedule]
    how += [f"{len(runs)} seeds"] if len(runs) > 1 else []
    return f"{mean} [{low}, {high}]" + (f" {', '.join(how)}" if how else "")


def _differences(runs: Sequence[Record], split: str, metric: str, claims: Sequence[Claim]) -> tuple[float, ...]:
    if not runs or not claims:
        return ()
    mean = across_seeds(runs, split, metric).mean
    return tuple(mean - _share(one) for one in claims)


def table(
    records: Sequence[Record],
    *,
    data: str | None = None,
    width: int | None = None,
    verdicts: Callable[[Row], Sequence[str]] | None = None,
) -> list[str]:
    """Return the comparison as lines of text.

    Parameters
    ----------
    records : sequence of Record
    data : str, optional
        One set alone.
    verdicts : callable, optional
        Gives the verdict of a row on each of its printed numbers, for a column of their own.
    width : int, optional
        Longer lines are cut.
    """
    head = (*_HEAD, "verdict") if verdicts else _HEAD
    body = [
        (
            row.key if row.variant == "base" else f"{row.key} ({row.variant})",
            row.dataset,
            row.split,
            row.metric,
            row.paper or NOTHING,
            row.code,
            row.ours,
            "; ".join(_signed(value, row.metric) for value in row.differences),
            *(["; ".join(dict.fromkeys(verdicts(row)))] if verdicts else ()),
        )
        for row in compare(records)
        if data in (None, row.dataset)
    ]
    wide = [max(len(line[n]) for line in (head, *body)) for n in range(len(head))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(line, wide, strict=True)).rstrip() for line in (head, *body)]
    return [line[:width] for line in lines]


def _signed(value: float, metric: str) -> str:
    return f"{'+' if value >= 0 else '-'}{words(abs(value), metric)}"


def lines_of(record: Record) -> list[str]:
    """Return the scores of one record as lines of text."""
    metrics = _GLANDS if record.dataset == "glas" else _NUCLEI
    return [
        f"{record.name}, {split} ({values['images']} images): {metric} {words(values['mean'], metric)} "
        f"[{words(values['low'], metric)}, {words(values['high'], metric)}]"
        for split, summary in record.summary.items()
        for metric in metrics
        if (values := summary.get(metric)) is not None and metric not in DISTANCES
    ]
