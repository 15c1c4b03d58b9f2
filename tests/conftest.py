"""Fixtures that more than one test file needs."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A property holds or fails; how long one example takes depends on what else the machine does.
settings.register_profile("book", deadline=None)
settings.load_profile("book")


@pytest.fixture(autouse=True, scope="session")
def _cache_of_its_own(tmp_path_factory):
    """What tests keep must not serve the user, nor what the user kept serve tests."""
    os.environ["HISTOLAB_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def tissue() -> Path:
    """The folder of real tissue; without it the test is skipped, with a reason that can be counted."""
    folder = os.environ.get("HISTOLAB_DATA", "")
    if not folder:
        pytest.skip("HISTOLAB_DATA is not set: tests on real tissue need it")
    return Path(folder)


@pytest.fixture
def papers() -> Path:
    """The folder of the papers' texts, ``KEY.txt``; without it the test is skipped, with a reason to count."""
    folder = os.environ.get("HISTOLAB_PAPERS", "")
    if not folder:
        pytest.skip("HISTOLAB_PAPERS is not set: tests of the claims against the papers' texts need it")
    return Path(folder)
