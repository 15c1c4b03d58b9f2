"""``histolab predict``: nuclei on an image of one's own; ``histolab weights``: the networks that the library ships."""

import csv
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console

from histolab_lib.data_commands import plain_errors
from histolab_lib.data_dir import DataError

if TYPE_CHECKING:
    from histolab_lib.pretrained import Trained

__all__ = ["predict", "weights"]

_out = Console()

# Large enough that borders between windows are few, small enough for a laptop; the overlap is more than four times
# what any shipped network looks at.
_WINDOW_PX, _OVERLAP_PX = 1024, 256
_TRAINED_AT_UM = 0.25


def predict(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="PNG, TIFF or JPEG; RGB, 8 bits per channel.")],
    out: Annotated[Path, typer.Option(help="The folder for what is found; made if it is not there.")] = Path(),
    checkpoint: Annotated[
        Path | None, typer.Option(help="Another network: a .safetensors with its .json, or the folder of a run.")
    ] = None,
    um_per_px: Annotated[
        float | None, typer.Option(help="Micrometres per pixel: adds areas in square micrometres.")
    ] = None,
    symmetries: Annotated[
        bool, typer.Option("--symmetries", help="Average over eight flips and turns: eight times as slow.")
    ] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps; default: the CPU.")] = None,
) -> None:
    """Find the nuclei on an image stained with H&E, offline, with the network that the library ships.

    Written are NAME_labels.tif (0 is background, 1, 2, ... the nuclei; 16 bits, or 32 for more than 65,535),
    NAME_overlay.png (the image with outlines) and NAME_nuclei.csv (a row for each nucleus).
    """
    with plain_errors(DataError, ImportError, MemoryError, OSError, ValueError):
        if um_per_px is not None and not um_per_px > 0:
            raise ValueError(f"--um-per-px must be above 0, got {um_per_px}")
        pixels = _read(image)
        _make_folder(out)
        trained = _network(checkpoint)
        start = time.perf_counter()
        instances = _segment(trained, pixels, symmetries=symmetries, device=device)
        seconds = time.perf_counter() - start
        written = _write(out, image.stem, pixels, instances, um_per_px)
    height, width = instances.shape
    share = np.count_nonzero(instances) / instances.size
    _say(
        f"{image.name}: {instances.max()} nuclei on {width} x {height} px, {share:.1%} of it, in {seconds:.1f} s "
        f"({trained.name})"
    )
    for path in written:
        _say(f"  {path}")
    if um_per_px is not None and not 0.8 < um_per_px / _TRAINED_AT_UM < 1.25:
        _say(
            f"  note: the shipped network was trained at {_TRAINED_AT_UM} um per pixel; at {um_per_px} expect it to do "
            "worse, and scale the image first"
        )


def weights(
    make: Annotated[
        Path | None, typer.Option(help="Train the shipped network again, into this folder; TNBC must be there.")
    ] = None,
    part: Annotated[
        str | None, typer.Option(help="With --make: only this fold of the cross-validation; 'all': only the network.")
    ] = None,
) -> None:
    """Show the networks that the library ships, and check their files; or make them again."""
    with plain_errors(DataError, ImportError, OSError, ValueError):
        if make is not None:
            _make(make, part)
            return
        from histolab_lib import pretrained

        for name in pretrained.names():
            found = pretrained.load(name)
            parameters = sum(p.numel() for p in found.network.parameters())
            _say(f"{name}: {found.about['title']}, {parameters:,} parameters, {found.about['licence']}; in order")
            _say(f"  trained on {found.about['trained_on']}")


def _make(folder: Path, part: str | None) -> None:
    from histolab_lib.choices import choose
    from histolab_lib.pretrained import making
    from histolab_lib.training.run import runs_dir

    parts = ["all", *making.PATIENTS]
    for one in parts if part is None else [choose("part", part, parts)]:
        runs = runs_dir() / making.recipe().digest()
        made = making.make(folder, runs=runs) if one == "all" else making.cross_validate(folder, one, runs=runs)
        scores = ", ".join(f"{metric} {made.summary['test'][metric]['mean']:.3f}" for metric in ("dice", "aji", "pq"))
        _say(f"{made.name}: {scores}")


def _read(path: Path) -> npt.NDArray[np.uint8]:
    from histolab_lib.datasets.files import read_rgb

    if path.is_dir():
        raise DataError(f"{path} is a folder; name an image")
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    return read_rgb(path)


def _make_folder(out: Path) -> None:
    """Before anything is computed: it would be lost."""
    out.mkdir(parents=True, exist_ok=True)
    probe = out / ".histolab-predict"
    probe.touch()
    probe.unlink()


def _network(checkpoint: Path | None) -> "Trained":
    try:
        from histolab_lib import pretrained

        return pretrained.load() if checkpoint is None else pretrained.load_checkpoint(checkpoint)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("histolab_lib"):
            raise
        raise ImportError(f"{error}; trained networks need: python -m pip install 'histolab-lib[train]'") from None


def _segment(
    trained: "Trained", pixels: npt.NDArray[np.uint8], *, symmetries: bool, device: str | None
) -> npt.NDArray[np.int32]:
    from histolab_lib.inference import segment

    return segment(
        trained.network,
        pixels,
        trained.recipe,
        window_px=_WINDOW_PX,
        overlap_px=_OVERLAP_PX,
        batch_size=1,
        symmetries=symmetries or trained.recipe.tta,
        device=device,
    )


def _write(
    out: Path, stem: str, pixels: npt.NDArray[np.uint8], instances: npt.NDArray[np.int32], um_per_px: float | None
) -> list[Path]:
    """Write labels, overlay and table; return their paths."""
    from PIL import Image

    from histolab_lib.inference import nuclei_table
    from histolab_lib.plotting import PALETTE, outlines
    from histolab_lib.plotting.look import rgb

    labels, overlay, table = (out / f"{stem}_{what}" for what in ("labels.tif", "overlay.png", "nuclei.csv"))
    small = instances.max(initial=0) <= np.iinfo(np.uint16).max
    Image.fromarray(instances.astype(np.uint16) if small else instances).save(labels, compression="tiff_adobe_deflate")
    shown = pixels.copy()
    shown[outlines(instances)] = rgb(PALETTE["yellow"])
    Image.fromarray(shown).save(overlay)
    columns = ["id", "row_px", "column_px", "area_px", *(["area_um2"] if um_per_px else [])]
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*columns, "eccentricity", "hematoxylin_od"])
        writer.writeheader()
        for row in nuclei_table(pixels, instances, um_per_px=um_per_px):
            writer.writerow({name: _short(value) for name, value in row.items()})
    return [labels, overlay, table]


def _short(value: float) -> str:
    """Whole numbers as they are, others to the third digit behind the point."""
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _say(line: str) -> None:
    _out.print(line, highlight=False, markup=False, soft_wrap=True)
