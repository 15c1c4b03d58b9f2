"""The branch that the Colab button points to, pushed to a made remote by what the workflow calls."""

import os
import subprocess

import pytest
import yaml

from tests.books import ROOT

JOBS = yaml.safe_load((ROOT / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8"))["jobs"]


def _pushed(remote, *arguments):
    command = ["git", "-C", str(remote), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _push(folder, remote, tag):
    """Push as the workflow does: by its make target, with tag and remote in the environment."""
    (step,) = [step for step in JOBS["notebooks"]["steps"] if "run" in step]
    assert {"TAG", "REMOTE"} <= set(step["env"])
    environment = {**os.environ, "TAG": tag, "REMOTE": str(remote), "GIT_CONFIG_GLOBAL": os.devnull}
    command = [*step["run"].split(), "-f", str(ROOT / "Makefile"), "-C", str(folder)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.fixture
def pushing(tmp_path):
    """A folder as the workflow has it when it pushes, and an empty remote."""
    remote, folder = tmp_path / "remote.git", tmp_path / "checkout"
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    (folder / ".ci").mkdir(parents=True)
    (folder / ".ci" / "push-editions").symlink_to(ROOT / ".ci" / "push-editions")
    (folder / "_build" / "colab" / "book").mkdir(parents=True)
    (folder / "_build" / "colab" / "README.md").write_text("the list")
    (folder / "_build" / "colab" / "book" / "a.ipynb").write_text("first")
    return folder, remote


def test_a_remote_receives_the_branch_and_each_release_follows_on_the_one_before(pushing):
    folder, remote = pushing
    made = folder / "_build" / "colab" / "book"
    done = _push(folder, remote, "v1.0.0")
    assert done.returncode == 0, done.stderr
    assert "pushed to the branch notebooks: Editions of v1.0.0" in done.stdout
    (made / "a.ipynb").unlink()
    (made / "b.ipynb").write_text("second")
    assert _push(folder, remote, "v1.1.0").returncode == 0
    assert _pushed(remote, "for-each-ref", "--format=%(refname)") == "refs/heads/notebooks"
    assert _pushed(remote, "log", "--format=%s", "notebooks") == "Editions of v1.1.0\nEditions of v1.0.0"
    assert _pushed(remote, "ls-tree", "-r", "--name-only", "notebooks") == "README.md\nbook/b.ipynb"
    assert "holds these editions already" in _push(folder, remote, "v1.1.1").stdout
    assert _pushed(remote, "rev-list", "--count", "notebooks") == "2"


def test_a_remote_that_is_not_there_fails_the_push(pushing):
    folder, remote = pushing
    done = _push(folder, remote.with_name("nowhere.git"), "v1.0.0")
    assert done.returncode != 0
    assert "nowhere.git" in done.stderr


def test_an_empty_folder_is_never_pushed(pushing):
    folder, remote = pushing
    (folder / "_build" / "colab" / "README.md").unlink()
    done = _push(folder, remote, "v1.0.0")
    assert done.returncode != 0
    assert "usage:" in done.stderr
    assert _pushed(remote, "for-each-ref") == ""


def test_only_one_job_may_write_to_the_repository_and_it_makes_nothing():
    assert [name for name, job in JOBS.items() if "contents" in job.get("permissions", {})] == ["notebooks"]
    assert [step["run"] for step in JOBS["notebooks"]["steps"] if "run" in step] == ["make push-editions"]
    assert "make editions" in [step.get("run") for step in JOBS["build"]["steps"]]


def test_the_pages_with_the_button_are_deployed_after_what_it_opens():
    assert "notebooks" in JOBS["deploy"]["needs"]
