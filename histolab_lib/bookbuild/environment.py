"""The surroundings of a chapter's kernel: same numbers on every CPU, nothing of the user's own settings."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

__all__ = ["SMOKE", "applied", "kernel_environment"]

#: One thread and one instruction set: without them the fifth digit of a training moves between machines. And no real
#: tissue, whatever the machine has.
SMOKE: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_CBWR": "AVX2",
    "CUDA_VISIBLE_DEVICES": "",
    "HISTOLAB_DATA": "",
}


def kernel_environment(profile: str, build: Path) -> dict[str, str]:
    """Return the variables under which every chapter of `profile` runs, by papermill and by nbval alike.

    Parameters
    ----------
    profile : {"smoke", "colab", "paper"}
    build : Path
        Where caches of the run may lie.
    """
    variables = {
        "HISTOLAB_PROFILE": profile,
        "PYTHONHASHSEED": "0",
        "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this environment, not one that the user registered
        "IPYTHONDIR": str(build / "ipython"),  # no start-up files of the user
        "MPLCONFIGDIR": str(build / "matplotlib"),  # no matplotlibrc of the user
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else the debugger writes a warning to stderr
    }
    return variables | dict(SMOKE) if profile == "smoke" else variables


@contextmanager
def applied(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the length of a ``with`` block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
