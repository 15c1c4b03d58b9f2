"""Made-up packages that break as torchvision does, or not; then the real ones of this environment."""

import os
import subprocess
import sys

import pytest

from tests.books import ROOT

pytestmark = pytest.mark.thorough

TORCH = """
class Library:
    known = {}

    def __init__(self, namespace, kind):
        assert kind == "FRAGMENT"
        self.namespace, self.own = namespace, []

    def define(self, schema):
        name = f"{self.namespace}::{schema.split('(')[0]}"
        assert name not in Library.known, "declared twice"
        Library.known[name] = schema
        self.own.append(name)

    def __del__(self):
        for name in self.own:
            Library.known.pop(name, None)
"""
WORKING = "from . import extension\nprint('imported')"
BROKEN = """
from . import extension
from torch.library import Library
for name in NEEDED:
    if f"torchvision::{name}" not in Library.known:
        raise RuntimeError(f"operator torchvision::{name} does not exist")
print("imported")
"""
PROGRAM = """
import gc, sys
from histolab_lib.compat import ensure_torchvision
try:
    print(ensure_torchvision())
    gc.collect()
    print(ensure_torchvision())
    print(*sorted(name for name in sys.modules if name.startswith("torch")))
except BaseException as error:
    print(type(error).__name__, error, *getattr(error, "__notes__", ()), sep=" | ")
"""


@pytest.fixture
def outcome(tmp_path):
    """Run `ensure_torchvision` twice in a new process that finds these sources of torchvision (None: there is none)."""

    def run(torchvision):
        files = {"torch/__init__.py": "", "torch/library.py": TORCH}
        if torchvision is not None:
            files |= {"torchvision/__init__.py": torchvision, "torchvision/extension.py": ""}
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        # Without site-packages: what is made up here is all there is.
        library = f"import sys; sys.path.append({str(ROOT)!r})\n"
        command = [sys.executable, "-S", "-B", "-c", library + PROGRAM]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=True)
        return done.stdout.splitlines()

    return run


def test_a_torchvision_that_works_is_left_alone(outcome):
    assert outcome(WORKING) == ["imported", "works", "works", "torchvision torchvision.extension"]


def test_a_torchvision_that_is_not_there_is_not_missed(outcome):
    assert outcome(None) == ["absent", "absent", ""]


def test_a_torchvision_that_lacks_its_operators_gets_them_once(outcome):
    found = outcome("NEEDED = ['nms', 'qnms']\n" + BROKEN)
    assert found[:3] == ["imported", "repaired", "repaired"]
    assert found[3] == "torch torch.library torchvision torchvision.extension"


def test_what_a_failed_import_left_behind_is_dropped(outcome):
    counting = "import sys\nsys.left = getattr(sys, 'left', 0) + ('torchvision.extension' in sys.modules)\n"
    found = outcome(f"{counting}NEEDED = ['nms']\n{BROKEN}print('left over:', sys.left)")
    assert found[:2] == ["imported", "left over: 0"]


def test_an_operator_that_nobody_knows_is_an_error_that_says_what_was_tried(outcome):
    (found,) = outcome("NEEDED = ['nms', 'roi_pool']\n" + BROKEN)
    assert found == (
        "RuntimeError | operator torchvision::roi_pool does not exist"
        " | histolab_lib.compat declared the operators nms, qnms, which did not suffice"
    )


@pytest.mark.parametrize(
    ("torchvision", "words"),
    [
        ("raise RuntimeError('operator torchvision::roi_pool does not exist')", "RuntimeError | operator"),
        ("raise RuntimeError('CUDA versions differ')", "RuntimeError | CUDA versions differ"),
        ("import PIL_is_missing", "ModuleNotFoundError | No module named 'PIL_is_missing'"),
    ],
)
def test_any_other_fault_of_torchvision_is_its_own(outcome, torchvision, words):
    (found,) = outcome(torchvision)
    assert found.startswith(words)
    assert "histolab_lib" not in found


REAL = """
from histolab_lib.compat import ensure_torchvision
print(ensure_torchvision())
import torch, torchvision
from torchvision.transforms import v2
image = torch.arange(12.0).reshape(1, 3, 4)
assert torch.equal(v2.RandomHorizontalFlip(p=1.0)(image), image.flip(-1))
boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [1.0, 0.0, 3.0, 2.0]])
assert abs(float(torchvision.ops.box_iou(boxes, boxes)[0, 1]) - 1 / 3) < 1e-6
assert torchvision.ops.roi_align(image[None], [boxes], output_size=2).shape == (2, 1, 2, 2)
import segmentation_models_pytorch, torchmetrics
"""


@pytest.mark.slow
def test_the_torchvision_of_this_environment_serves_its_importers():
    done = subprocess.run([sys.executable, "-c", REAL], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    alone = subprocess.run([sys.executable, "-c", "import torchvision"], capture_output=True, text=True)
    assert done.stdout.strip() == ("repaired" if "torchvision::nms does not exist" in alone.stderr else "works")
