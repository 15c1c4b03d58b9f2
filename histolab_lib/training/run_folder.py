"""What a run leaves in its folder, so that it can be taken up again: checkpoints, the best weights, and a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from histolab_lib.training import checkpoints
from histolab_lib.training.checkpoints import Checkpoint, CheckpointError
from histolab_lib.training.history import History
from histolab_lib.training.progress import CsvLog

__all__ = ["RunFolder"]


class RunFolder:
    """The folder of one run.

    Parameters
    ----------
    path : Path
        ``checkpoints/`` and ``log.csv`` go there.
    identity : mapping
        What decides the run's numbers, as JSON knows it; a folder that holds another run is refused.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self.path, self._identity = path, dict(identity)
        self._checkpoints = path / "checkpoints"
        self._best: dict[str, Any] | None = None
        self._log: CsvLog | None = None

    def resume(self) -> tuple[Checkpoint | None, dict[str, Tensor] | None]:
        """Return the newest whole checkpoint and the best weights up to it; None where there are none.

        Raises
        ------
        CheckpointError
            If the folder holds another run, or nothing whole.
        """
        found = checkpoints.newest(self._checkpoints)
        if found is None:
            return None, None
        self._check_identity(found.facts["identity"])
        self._best = found.facts["best"]
        best = self._best
        if best is None:
            return found, None
        return found, checkpoints.read_tensors(self._checkpoints / best["file"], best["sha256"])

    def keep(
        self,
        history: History,
        tensors: Mapping[str, Tensor],
        facts: Mapping[str, Any],
        best: Mapping[str, Tensor] | None,
    ) -> None:
        """Write a checkpoint, and before it the best weights, if this step has them."""
        if best is not None:
            name = f"best-{history.steps:08d}.safetensors"
            self._checkpoints.mkdir(parents=True, exist_ok=True)
            self._best = {"file": name, "sha256": checkpoints.write_tensors(self._checkpoints / name, best)}
        all_facts = {**facts, "identity": self._identity, "best": self._best, "history": history.to_dict()}
        checkpoints.save(self._checkpoints, Checkpoint(history.steps, tensors, all_facts))
        if self._log is None:
            self._log = CsvLog(self.path / "log.csv", history)
        else:
            self._log.write(history)

    def _check_identity(self, found: Mapping[str, Any]) -> None:
        names = sorted({*found, *self._identity})
        differ = [name for name in names if found.get(name) != self._identity.get(name)]
        if differ:
            was = "; ".join(f"{name}: {found.get(name)} there, {self._identity.get(name)} here" for name in differ)
            raise CheckpointError(f"{self.path} holds another run ({was}); take another folder, or remove this one")
