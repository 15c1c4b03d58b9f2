import pytest

from histolab_lib.datasets import synthetic, tnbc
from histolab_lib.pretrained import SHIPPED, making, read
from histolab_lib.record import load_record
from histolab_lib.scoring import check_numbers
from histolab_lib.tile import Tile


@pytest.fixture
def tiny(monkeypatch):
    """Sets of one small tile for each patient, and a recipe of two steps."""
    made = synthetic.scene("train", 0, size=64).tile()
    short = making.recipe().vary("tiny", "ours: a test", steps=2, crop_px=32, window_px=64, overlap_px=16)

    def load(name, split, **_):
        if name == "synthetic":
            return [made]
        patients = [f"{split[:2]}A", f"{split[:2]}B"]
        if name == "tnbc":
            patients = sorted({tile[:2] for tile in tnbc.names(split, version="patients")})
        return [Tile(f"{name}_{p}", made.image, made.instances, patient=p) for p in patients]

    monkeypatch.setattr(making.datasets, "load", load)
    monkeypatch.setattr(making, "recipe", lambda: short)


def test_patients_of_folds_and_those_that_decisions_looked_at_are_all_eleven_once():
    parts = [making.CHOSEN_ON, *making.PATIENTS.values()]
    assert sorted(patient for part in parts for patient in part) == [f"{slide:02d}" for slide in range(1, 12)]


def test_what_is_shipped_is_written_read_back_and_scored_once(tiny, tmp_path):
    record = making.make(tmp_path / "weights", runs=tmp_path / "runs", progress=False)
    trained = read(tmp_path / "weights" / f"{SHIPPED}.safetensors")
    assert trained.recipe == making.recipe()
    assert trained.about["trained_on"].startswith("11 tiles of TNBC (Naylor et al. 2019, CC BY 4.0), 1 of synthetic")
    kept = load_record(tmp_path / "weights" / SHIPPED / "monuseg" / "base-clean-shipped-seed0.json")
    check_numbers(kept)
    assert [row["name"] for row in kept.images["test"]] == ["monuseg_teA", "monuseg_teB"]
    assert len(kept.fit_on) == 12
    looked_at = {f"tnbc_{patient}" for patient in making.CHOSEN_ON} | {"monuseg_trA", "monuseg_trB"}
    assert set(kept.chosen_on) == looked_at
    assert record.summary["test"]["dice"]["mean"] == kept.summary["test"]["dice"]["mean"]
    assert (tmp_path / "runs" / "all" / "log.csv").is_file()


def test_a_fold_is_trained_without_its_patients_and_scored_on_them(tiny, tmp_path):
    part = "patients_01_02_09"
    record = making.cross_validate(tmp_path, part, progress=False)
    kept = load_record(tmp_path / SHIPPED / "tnbc" / f"{part}-clean-shipped-seed0.json")
    check_numbers(kept)
    assert kept.summary["test"]["dice"]["mean"] == record.summary["test"]["dice"]["mean"]
    assert {row["group"] for row in kept.images["test"]} == {"01", "02", "09"}
    assert not {row["name"] for row in kept.images["test"]} & set(kept.fit_on)
    assert len(kept.fit_on) == 9
    assert list(tmp_path.iterdir()) == [tmp_path / SHIPPED]
