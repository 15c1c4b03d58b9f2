"""``histolab data ...``, as typed."""

import json
import re

import pytest
import typer
from typer.testing import CliRunner

from histolab_lib import cli, data_commands
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.datasets import facts, fetch
from histolab_lib.datasets.registry import entries

NAMES = ("monuseg", "kumar", "glas", "tnbc", "cpm17", "consep", "pannuke", "synthetic")


@pytest.fixture
def histolab(monkeypatch):
    """Run a command line without network; its answer has `exit_code`, `stdout` and `stderr`."""
    monkeypatch.delenv("HISTOLAB_DATA", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was asked"))

    def run(*arguments):
        answer = CliRunner().invoke(cli.app, ["data", *arguments])
        assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
        return answer

    return run


# ---- list and status


def test_the_sets_are_listed_with_licence_and_citation_without_tissue(histolab):
    answer = histolab("list")
    assert answer.exit_code == 0
    assert re.findall(r"^(\w+): ", answer.stdout, re.MULTILINE) == list(NAMES)
    for words in ("train 0 of 30, test 0 of 14", "licence  CC BY-NC-SA 4.0 (read second-hand", "Set HISTOLAB_DATA"):
        assert words in answer.stdout
    assert len(re.findall(r"^  licence  \S", answer.stdout, re.MULTILINE)) == len(NAMES)
    for entry in entries().values():
        assert all(f"  cite     {citation}" in answer.stdout for citation in entry.citations)
        assert bool(entry.citations) == bool(entry.folder)


@pytest.mark.real
def test_the_sets_are_listed_with_what_is_here(tissue, histolab, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tissue))
    answer = histolab("list")
    assert "train 30 of 30, test 14 of 14" in answer.stdout
    assert f"where    {tissue}/monuseg" in answer.stdout


@pytest.mark.parametrize("command", ["list", "status", "check", "facts"])
def test_a_folder_of_tissue_that_is_none_is_told_in_one_line(histolab, monkeypatch, command):
    monkeypatch.setenv("HISTOLAB_DATA", "/nowhere/at/all")
    answer = histolab(command)
    assert answer.exit_code == 1
    assert answer.stderr.startswith("error: HISTOLAB_DATA is '/nowhere/at/all', which is not a folder; set it to")
    assert answer.stderr.count("\n") == 1


def test_the_list_says_what_is_wrong_with_a_half_unpacked_set(histolab, tmp_path, monkeypatch):
    (tmp_path / "monuseg" / "MoNuSegTestData").mkdir(parents=True)
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    answer = histolab("list")
    assert answer.exit_code == 0
    assert f"not complete, looked in {tmp_path}/monuseg" in answer.stdout
    assert re.search(r"problem +.*expected \d+ .*histolab data check monuseg\)$", answer.stdout, re.MULTILINE)


def test_status_tells_in_one_line_each_what_is_here_and_whether_it_is_whole(histolab, tmp_path, monkeypatch):
    lines = histolab("status").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(NAMES)
    assert lines[0] == ("monuseg    not found     train 0 of 30, test 0 of 14, extra 0 of 7; licence: CC BY-NC-SA 4.0")
    assert lines[-1] == "synthetic  complete      train, val, test; licence: CC0 1.0"
    folder = tmp_path / "tnbc" / "TNBC_NucleiSegmentation"
    for part in ("Slide_01", "GT_01"):
        (folder / part).mkdir(parents=True)
        (folder / part / "01_1.png").touch()
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    assert re.search(r"^tnbc +not complete  .*1 of ", histolab("status").stdout, re.MULTILINE)


# ---- fetch


@pytest.mark.parametrize("name", NAMES)
def test_a_dry_run_shows_for_every_set_what_would_happen(histolab, name):
    answer = histolab("fetch", name, "--dry-run")
    assert answer.exit_code == 0
    if name == "synthetic":
        assert answer.stdout == "synthetic is made on demand; there is nothing to fetch\n"
        return
    *steps, last = answer.stdout.splitlines()
    source = entries()[name].same_files_as or name
    assert len(steps) == len(entries()[source].downloads)
    assert all(re.search(r": (download https://|has no address; once \$HISTOLAB_DATA/)", step) for step in steps)
    assert all("check sha256 " in step or "check md5 " in step or "no hash to check (layout" in step for step in steps)
    assert last == "then: check counts, sizes and ids of all files"


def test_fetching_without_a_folder_says_how_to_name_one(histolab):
    answer = histolab("fetch", "tnbc")
    assert answer.exit_code == 1
    assert answer.stderr.startswith("error: HISTOLAB_DATA is not set, and it says where data sets lie")


def test_fetching_a_set_without_an_address_says_what_to_do_by_hand(histolab, tmp_path):
    answer = histolab("fetch", "cpm17", "--to", str(tmp_path))
    assert answer.exit_code == 1
    assert f"save everything as {tmp_path}/cpm17/cpm17.zip" in answer.stderr
    assert entries()["cpm17"].page in answer.stderr


def test_fetching_an_unknown_set_lists_the_known_ones(histolab):
    answer = histolab("fetch", "tnbcc")
    assert answer.exit_code == 1
    assert answer.stderr.startswith("error: unknown data set 'tnbcc', did you mean 'tnbc'? Allowed: 'monuseg',")


@pytest.mark.parametrize(
    ("found", "code", "said"), [([], 0, "tnbc: in order\n"), (["a: [b] is missing"], 1, "tnbc: to report:\n  a: [b]")]
)
def test_what_validation_finds_after_fetching_is_shown(histolab, tmp_path, monkeypatch, found, code, said):
    monkeypatch.setattr(fetch, "fetch", lambda name, to, *, say, progress: found)
    answer = histolab("fetch", "tnbc", "--to", str(tmp_path))
    assert answer.exit_code == code
    assert answer.stdout.startswith(said)


# ---- check and facts


def test_nothing_to_check_is_an_error(histolab, tmp_path, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    for command in ("check", "facts"):
        answer = histolab(command)
        assert (answer.exit_code, answer.stderr) == (
            1,
            "error: no set is here; set HISTOLAB_DATA to the folder that holds those you have\n",
        )


def test_checking_a_set_that_is_not_there_names_what_is_missing_and_fails(histolab, tmp_path, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tmp_path))
    answer = histolab("check", "glas")
    assert answer.exit_code == 1
    assert answer.stdout.startswith(f"glas: to report:\n  {tmp_path}/glas")


@pytest.mark.real
def test_checking_glas_tells_the_patients_on_both_sides_and_does_not_fail(tissue, histolab, monkeypatch):
    monkeypatch.setenv("HISTOLAB_DATA", str(tissue))
    monkeypatch.setattr("histolab_lib.datasets.glas.validate", lambda folder: [])
    answer = histolab("check", "glas")
    assert answer.exit_code == 0
    patients = re.findall(r"^  same patient, train / (test[AB]): patient (\d+) ", answer.stdout, re.MULTILINE)
    assert [patient for split, patient in patients if split == "testA"] == ["3", "4", "7", "9", "10", "11", "13", "15"]
    assert [patient for split, patient in patients if split == "testB"] == ["1", "2", "3", "5", "7"]


def test_pictures_that_come_twice_make_the_check_fail(histolab, monkeypatch):
    leak = {"same patient": 0, "other set": 0, "same picture": 1, "near picture": 1}
    for kind, code in leak.items():
        found = type("Leak", (), {"kind": kind, "splits": ("train", "test"), "detail": "a is b"})
        monkeypatch.setattr("histolab_lib.datasets.leaks.leaks", lambda name, against, found=found: [found])
        answer = histolab("check", "synthetic")
        assert answer.exit_code == code
        assert answer.stdout == f"synthetic: to report:\n  {kind}, train / test: a is b\n"


def test_facts_are_written_and_compared(histolab, tmp_path, monkeypatch):
    kept = tmp_path / "glas.json"
    monkeypatch.setattr(facts, "facts_path", lambda name: kept)
    monkeypatch.setattr(facts, "compute", lambda name: {"tiles": 165})
    assert histolab("facts", "glas").stdout == f"written: {kept}\n"
    assert json.loads(kept.read_text()) == {"tiles": 165}
    assert histolab("facts", "glas", "--check").stdout == "glas: in order\n"
    monkeypatch.setattr(facts, "compute", lambda name: {"tiles": 164})
    answer = histolab("facts", "glas", "--check")
    assert (answer.exit_code, answer.stdout) == (1, "glas: to report:\n  tiles: kept 165, found 164\n")
    assert json.loads(kept.read_text()) == {"tiles": 165}


def test_facts_are_only_of_sets_with_files(histolab):
    answer = histolab("facts", "synthetic")
    assert answer.exit_code == 1
    assert "unknown data set with files 'synthetic'" in answer.stderr


def test_errors_of_the_kinds_named_become_a_message_and_others_pass(capsys):
    with pytest.raises(typer.Exit, match="1"), data_commands.plain_errors(KeyError):
        raise KeyError("[red]")
    assert capsys.readouterr().err == "error: '[red]'\n"
    with pytest.raises(DataError, match="other"), data_commands.plain_errors(KeyError):
        raise DataError("other")
    assert data_dir().is_dir()
