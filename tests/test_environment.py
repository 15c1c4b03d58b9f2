"""The reference environment is what constraints.txt says, no more and no less."""

import re
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOT_PINNED = {"histolab-lib", "pip"}  # ourselves, and what `python -m venv` brings
BUILD_ONLY = {"hatchling"}  # used in the isolated environment that builds the package


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {_name(name): version for name, version in pairs}


def _installed() -> dict[str, str]:
    # of the environment alone: setuptools, once imported, puts its own copies of packages on the path
    here = distributions(path=[sysconfig.get_path("purelib")])
    found = {_name(d.metadata["Name"]): d.version.split("+")[0] for d in here}
    return {name: version for name, version in found.items() if name not in NOT_PINNED}


def test_every_installed_package_is_pinned_at_its_version():
    pins = _pins()
    assert {name: version for name, version in _installed().items() if pins.get(name) != version} == {}


def test_every_pin_is_used():
    assert set(_pins()) - set(_installed()) - BUILD_ONLY == set()


def test_pins_are_sorted_so_that_a_change_is_easy_to_see():
    names = list(_pins())
    assert names == sorted(names)
