"""Images beside their masks or label maps, matched by stem: which belong together, and everything that does not."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from histolab_lib.data_dir import DataError
from histolab_lib.datasets.paired import Pair

__all__ = ["match_stems"]

_LABELS = (".png", ".tif", ".tiff", ".bmp")
_JPEG = (".jpg", ".jpeg")
_ENDINGS = ("_mask", "_masks", "_anno", "_label", "_labels")
_NOTES = (".txt", ".md", ".csv", ".db", ".ini")  # what people and systems leave beside images


def match_stems(
    path: Path, *, images: str | Path | None = None, labels: str | Path | None = None
) -> tuple[dict[str, Pair], list[str]]:
    """Return the pairs of a folder, and one sentence for everything in it that is not part of one.

    Parameters
    ----------
    path : pathlib.Path
        Arranged in one of three ways: ``images/`` beside ``masks/`` or ``labels/``; everything in one folder, the
        labels with an ending (``a.png``, ``a_mask.png``; also ``_masks``, ``_anno``, ``_label``, ``_labels``); or as
        ``images`` and ``labels`` say.
    images, labels : str or pathlib.Path, optional
        Folders below ``path`` (or absolute ones): both or neither.

    Returns
    -------
    pairs : dict of str to Pair
        By the stem of the image, sorted. In folders of their own, labels may have an ending or not.
    problems : list of str
        What has no partner, stems that come twice, formats and subfolders that are not read. Hidden files and notes
        (``.txt``, ``.md``, ``.csv``) are passed over.

    Raises
    ------
    ValueError
        If only one of ``images`` and ``labels`` is given.
    DataError
        If a folder is missing, or it is not clear which one holds the labels.
    """
    image_folder, label_folder = _arranged(path, images, labels)
    files, problems = _files(image_folder)
    if image_folder == label_folder:
        pictures, drawn = _with_ending(files, False), _with_ending(files, True)
    else:
        pictures, (drawn, more) = files, _files(label_folder)
        problems += more + _left_beside(path, (image_folder, label_folder))
    if lossy := [file.name for file in drawn if file.suffix.lower() in _JPEG]:
        problems.append(f"{label_folder}: JPEG does not keep values, so it cannot hold labels: {_listed(lossy)}")
    stems = {file.stem for file in pictures}
    by_stem = _grouped((file.stem, file) for file in pictures)
    by_key = _grouped((file.stem if file.stem in stems else _bare(file.stem), file) for file in drawn)
    problems += _twice(image_folder, by_stem) + _twice(label_folder, by_key)
    problems += _alone(image_folder, by_stem, by_key, "images have no mask or label map")
    problems += _alone(label_folder, by_key, by_stem, "masks or label maps have no image")
    if not by_stem:
        problems.append(f"{image_folder}: no image; expected {_listed(_LABELS + _JPEG)}")
    return {stem: Pair(by_stem[stem][0], by_key[stem][0]) for stem in sorted(by_stem.keys() & by_key.keys())}, problems


def _arranged(path: Path, images: str | Path | None, labels: str | Path | None) -> tuple[Path, Path]:
    """Return the folders of images and labels; the same one twice where they lie side by side."""
    if (images is None) != (labels is None):
        raise ValueError(f"images and labels: give both or neither, got images={images!r} and labels={labels!r}")
    if not path.is_dir():
        raise DataError(f"{path}: no such folder; give the one that holds your images")
    if images is not None and labels is not None:
        folders = path / images, path / labels
    elif not (path / "images").is_dir():
        return path, path
    else:
        found = [path / name for name in ("masks", "labels") if (path / name).is_dir()]
        if len(found) != 1:
            got = "both" if found else "neither"
            raise DataError(f"{path}: beside images/ expected masks/ or labels/, found {got}; say images= and labels=")
        folders = path / "images", found[0]
    for folder in folders:
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder")
    return folders


def _files(folder: Path) -> tuple[list[Path], list[str]]:
    found = [file for file in sorted(folder.iterdir()) if not _is_note(file)]
    files = [file for file in found if file.is_file() and file.suffix.lower() in _LABELS + _JPEG]
    odd = [file.name + ("/" if file.is_dir() else "") for file in found if file not in files]
    return files, [f"{folder}: not read here: {_listed(odd)}; move it elsewhere, or convert it to PNG"] if odd else []


def _is_note(file: Path) -> bool:
    return file.name.startswith(".") or (file.suffix.lower() in _NOTES and not file.is_dir())


def _left_beside(path: Path, folders: tuple[Path, Path]) -> list[str]:
    """Tell of images in the folder around the two that are read."""
    if path in folders:
        return []
    loose = [file.name for file in sorted(path.iterdir()) if file.suffix.lower() in _LABELS + _JPEG and file.is_file()]
    named = " and ".join(f"{folder.name}/" for folder in folders)
    return [f"{path}: only {named} are read, so not: {_listed(loose)}"] if loose else []


def _with_ending(files: list[Path], wanted: bool) -> list[Path]:
    return [file for file in files if (_bare(file.stem) != file.stem) == wanted]


def _bare(stem: str) -> str:
    return next((stem[: -len(ending)] for ending in _ENDINGS if stem.endswith(ending)), stem)


def _grouped(items: Iterable[tuple[str, Path]]) -> Mapping[str, list[Path]]:
    grouped = defaultdict(list)
    for key, file in items:
        grouped[key].append(file)
    return dict(grouped)


def _twice(folder: Path, grouped: Mapping[str, list[Path]]) -> list[str]:
    return [
        f"{folder}: several files for {stem!r}: {_listed(file.name for file in files)}; keep one"
        for stem, files in grouped.items()
        if len(files) > 1
    ]


def _alone(folder: Path, here: Mapping[str, list[Path]], there: Mapping[str, list[Path]], problem: str) -> list[str]:
    alone = [file.name for key, files in here.items() if key not in there for file in files]
    count = sum(map(len, here.values()))
    return [f"{folder}: {len(alone)} of {count} {problem}: {_listed(alone)}"] if alone else []


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
