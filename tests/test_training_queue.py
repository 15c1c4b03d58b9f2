import signal
import time
from pathlib import Path

import pytest

from histolab_lib.data_dir import DataError
from histolab_lib.record import save_record
from histolab_lib.training import TrainingError, queue
from histolab_lib.training.job import NotBuiltError, recipe_hash
from histolab_lib.training.queue import Tally, is_recorded, run_queue
from histolab_lib.wanted import Job
from tests.records import record

pytestmark = pytest.mark.thorough


def job(seed=0, **changes):
    return Job(**{"key": "unet", "data": "tnbc", "schedule": "cpu", "seed": seed, **changes})


def record_of(one, **changes):
    values = {"key": one.key, "dataset": one.data, "seed": one.seed, "recipe_hash": recipe_hash(one)}
    return record(**{**values, **changes})


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """Runs that take no time: records what was asked for; a run named in `faults` raises."""
    asked = []

    def run_job(one, *, out, **settings):
        asked.append(one.name)
        if one.name in run_job.faults:
            raise run_job.faults[one.name]
        time.sleep(run_job.seconds)
        save_record(record_of(one), out)
        return record_of(one)

    run_job.faults, run_job.seconds, run_job.asked = {}, 0.0, asked
    monkeypatch.setattr(queue, "run_job", run_job)
    monkeypatch.setattr(queue, "data_dir", lambda: tmp_path / "data")
    return run_job


def test_runs_are_made_in_their_order_and_not_again(ran, tmp_path):
    jobs, said = [job(seed) for seed in (2, 0, 1)], []
    tally = run_queue(jobs, out=tmp_path, say=said.append)
    assert ran.asked == tally.done == [one.name for one in jobs]
    assert said[0] == f"{jobs[0].name}: begins"
    assert said[1].startswith(f"{jobs[0].name}: done in 0 s, Dice 0.")
    again = run_queue(jobs, out=tmp_path, say=said.append)
    assert (again.done, again.recorded) == ([], [one.name for one in jobs])
    assert len(ran.asked) == 3
    assert len(said) == 6


def test_what_is_recorded_in_the_book_is_skipped_wherever_records_go(ran, tmp_path):
    save_record(record_of(job()), tmp_path / "data" / "results")
    assert run_queue([job()], out=tmp_path / "out", say=print).recorded == [job().name]


def test_a_record_of_an_older_recipe_or_a_damaged_one_is_made_again(ran, tmp_path):
    path = save_record(record_of(job(), recipe_hash="f" * 16), tmp_path)
    assert not is_recorded(job(), [tmp_path])
    assert run_queue([job()], out=tmp_path, say=print).done == [job().name]
    assert is_recorded(job(), [tmp_path])
    path.write_text("{", encoding="utf-8")
    assert not is_recorded(job(), [tmp_path])
    assert is_recorded(job(), [tmp_path, tmp_path]) is False


def test_what_is_not_built_is_counted_and_the_rest_goes_on(ran, tmp_path):
    jobs = [job(key="net_of_tomorrow"), job(variant="with_wings"), job()]
    tally = run_queue(jobs, out=tmp_path, say=print)
    assert list(tally.not_built) == [jobs[0].name, jobs[1].name]
    assert "unknown network 'net_of_tomorrow'" in tally.not_built[jobs[0].name]
    assert tally.done == [jobs[2].name]


@pytest.mark.parametrize(
    ("fault", "where"),
    [
        (DataError("no tiles here"), "lacking"),
        (ModuleNotFoundError("No module named 'timm'"), "lacking"),
        (TrainingError("the loss became nan at step 3"), "failed"),
        (OSError(28, "No space left on device"), "failed"),
        (NotBuiltError("no such thing"), "not_built"),
    ],
)
def test_a_run_that_fails_is_told_and_the_next_one_begins(ran, tmp_path, fault, where):
    said = []
    ran.faults[job(0).name] = fault
    tally = run_queue([job(0), job(1)], out=tmp_path, say=said.append)
    assert tally.done == [job(1).name]
    assert str(fault) in getattr(tally, where)[job(0).name]
    if where != "not_built":
        assert any(str(fault) in line for line in said)
    assert not is_recorded(job(0), [tmp_path])


def test_a_budget_stops_inside_a_run_and_what_is_left_is_told(ran, tmp_path):
    ran.seconds = 30.0
    said, before = [], signal.getsignal(signal.SIGALRM)
    start = time.monotonic()
    tally = run_queue([job(0), job(1)], out=tmp_path, budget_s=0.3, say=said.append)
    assert time.monotonic() - start < 5
    assert tally.left == [job(0).name, job(1).name]
    assert tally.failed == {}
    assert said[-1] == "0.3 s are over"
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_no_run_begins_when_the_budget_is_spent(ran, tmp_path):
    ran.seconds = 0.2
    tally = run_queue([job(seed) for seed in range(50)], out=tmp_path, budget_s=0.5, say=print)
    assert 1 <= len(tally.done) <= 3
    assert len(tally.done) + len(tally.left) == 50
    rest = run_queue([job(seed) for seed in range(len(tally.done) + 1)], out=tmp_path, say=print)
    assert (len(rest.recorded), len(rest.done)) == (len(tally.done), 1)


def test_a_tally_is_one_line():
    tally = Tally(done=["a"], not_built={"b": "why", "c": "why"})
    assert str(tally) == (
        "1 ran, 0 recorded before, 2 not built yet, 0 without data or packages here, 0 failed, 0 left for the next time"
    )


@pytest.mark.slow
def test_a_training_that_a_budget_cut_ends_as_if_nothing_had_happened(tmp_path, monkeypatch):
    """Budgets so short that the run takes several sessions: the last one ends where a run in one go does."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    one = Job("small_unet", "synthetic", "smoke", options={"n": 3, "size": 64})
    found = {}
    for name, budgets in (("whole", [None]), ("cut", [1.0, 2.0, 3.0, None])):
        monkeypatch.setenv("HISTOLAB_RUNS", str(tmp_path / name / "runs"))
        monkeypatch.setenv("HISTOLAB_PREDICTIONS", str(tmp_path / name / "predictions"))
        out: Path = tmp_path / name / "results"
        for budget in budgets:
            run_queue([one], out=out, budget_s=budget, say=print, device="cpu", progress=False)
        found[name] = queue.load_record(one.path(out))
    torch.set_num_threads(threads)
    assert repr(found["whole"].images) == repr(found["cut"].images)
    assert found["whole"].history == found["cut"].history
