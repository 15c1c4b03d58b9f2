"""The steps of the pipeline in their order: pairs, execution, gates, comparison, staging, site."""

from collections.abc import Sequence

import nbformat
from rich.console import Console

from histolab_lib.bookbuild.chapters import BookError, chapters, find_root, static_pages
from histolab_lib.bookbuild.execute import Executed, build_dir, execute, last_run
from histolab_lib.bookbuild.gates import check_notebook
from histolab_lib.bookbuild.glued import compare_page, keep_page
from histolab_lib.bookbuild.pairs import Half, check_pair, write_pair
from histolab_lib.bookbuild.papers import paper_faults
from histolab_lib.bookbuild.prose import pictures_without_alt, typed_numbers
from histolab_lib.bookbuild.references import compare, reference_text
from histolab_lib.bookbuild.site import build_site
from histolab_lib.bookbuild.stage import run_facts, stage
from histolab_lib.bookbuild.timings import keep_timings

__all__ = [
    "build_book",
    "check_book",
    "check_pairs",
    "execute_book",
    "record_pages",
    "renew_references",
    "time_book",
    "write_pairs",
]


def _stop_on(faults: Sequence[object], what: str) -> None:
    if faults:
        raise BookError(f"{what}:\n" + "\n".join(f"  {fault}" for fault in faults))


def check_pairs() -> list[str]:
    """Raise unless every chapter's two halves are in step; return one line to print."""
    found = chapters(find_root())
    _stop_on([fault for chapter in found for fault in check_pair(chapter)], "pairs out of step")
    return [f"{len(found)} pairs are in step"]


def write_pairs(direction: Half) -> list[str]:
    """Write one half of every pair from the other; return a line for each chapter."""
    return [
        f"{chapter.key}: {'written' if write_pair(chapter, direction) else 'unchanged'}"
        for chapter in chapters(find_root())
    ]


def execute_book(profile: str, *, force: bool = False, console: Console) -> list[Executed]:
    """Run every chapter whose inputs changed, then hold all of them against the gates."""
    root = find_root()
    runs = execute(chapters(root), profile, force=force, console=console)
    for run in runs:
        how = f"ran in {run.record['seconds']} s" if run.fresh else "up to date"
        console.print(f"{run.chapter.key}: {how}", highlight=False, soft_wrap=True)
    faults: list[object] = [fault for run in runs for fault in check_notebook(run.chapter.key, run.notebook())]
    _stop_on(faults + _other_profiles(runs), "gates not passed")
    return runs


def _other_profiles(runs: Sequence[Executed]) -> list[object]:
    """Name the chapters that ran with a profile of their own: their foot would say what is not so."""
    ran = [(run, run_facts(run.notebook()).get("profile", run.record["profile"])) for run in runs]
    return [
        f"{run.chapter.key}: profile: the chapter ran as {own}, the book is built as {run.record['profile']}; "
        'its parameters cell must say profile = "auto"'
        for run, own in ran
        if own != run.record["profile"]
    ]


def build_book(profile: str, *, force: bool = False, publish: bool = False, console: Console) -> str:
    """Execute, check and build; return the path of the site's start page.

    Nothing reaches the site unless every chapter ran and passed every gate. A site that is going to be published
    (`publish`) shows no picture of a set whose licence does not let us.
    """
    root = find_root()
    _stop_on(_prose_faults(), "gates not passed")
    runs = execute_book(profile, force=force, console=console)
    return str(build_site(stage(root, runs, publish=publish), build_dir(root) / "html"))


def _prose_faults() -> list[str]:
    root, faults = find_root(), []
    for page in static_pages(root):
        text = (root / page).read_text(encoding="utf-8")
        faults += [f"{page}: number typed into prose: {sentence!r}" for sentence in typed_numbers(text)]
        faults += [f"{page}: figure without alt text: {picture}" for picture in pictures_without_alt(text)]
    return faults


def check_book(profile: str) -> int:
    """Raise unless pairs, prose, gates and what is kept of the profile agree with the last run.

    Of smoke the committed outputs are kept, of the others, where they were recorded, the numbers in the text.

    Returns
    -------
    int
        Number of pages checked.
    """
    root = find_root()
    found = chapters(root)
    faults: list[object] = [fault for chapter in found for fault in check_pair(chapter)]
    faults += _prose_faults()
    for chapter in found:
        run = last_run(chapter, profile)
        if run is None:
            raise BookError(
                f"{chapter.key} has not been run with the profile {profile} as it stands now; "
                f"run make book PROFILE={profile}"
            )
        executed = run.notebook()
        faults += check_notebook(chapter.key, executed)
        faults += paper_faults(chapter.key, executed, root)
        if profile == "smoke" and chapter.ipynb.is_file():
            faults += compare(chapter.key, nbformat.read(chapter.ipynb, as_version=4), executed)
        if profile != "smoke":
            faults += compare_page(chapter, profile, executed)
    _stop_on(faults, "the book is not in order")
    return len(found) + len(static_pages(root))


def renew_references(*, force: bool = False, console: Console) -> list[str]:
    """Run the smoke profile and write its text outputs into the committed pairs; return a line for each."""
    write_pairs("md")
    lines = []
    for run in execute_book("smoke", force=force, console=console):
        text, target = reference_text(run.notebook()), run.chapter.ipynb
        changed = not target.is_file() or target.read_text(encoding="utf-8") != text
        if changed:
            target.write_text(text, encoding="utf-8", newline="\n")
        lines.append(f"{run.chapter.key}: {'renewed' if changed else 'unchanged'}")
    return lines


def time_book(profile: str, *, force: bool = False, console: Console) -> list[str]:
    """Write how long the last run of each chapter took to ``data/facts/timings.json``; return a line for each."""
    runs = execute_book(profile, force=force, console=console)
    return keep_timings(find_root(), [(run, _device(run)) for run in runs])


def record_pages(profile: str, *, console: Console) -> list[str]:
    """Keep the numbers that the chapters glue under a profile, for later runs to be held against.

    Raises
    ------
    BookError
        If the profile is smoke, whose outputs are committed with the chapters.
    """
    if profile == "smoke":
        raise BookError("pages of the profile smoke are kept with the chapters: histolab book references renews them")
    lines = []
    for run in execute_book(profile, console=console):
        written = keep_page(run.chapter, run.record, _device(run), run.notebook())
        lines.append(f"{run.chapter.key}: {'kept' if written else 'glues no number'}")
    return lines


def _device(run: Executed) -> str:
    return str(run_facts(run.notebook()).get("device", "CPU"))
