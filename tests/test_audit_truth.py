"""The rules that compare with the files of a set, with makers' lists, and sizes with each other."""

import pytest

from histolab_lib.audit.rules import equipment, known, real, sizes, truth
from histolab_lib.claims import load_claims
from histolab_lib.data_dir import DataError
from histolab_lib.datasets import facts, registry
from tests.audit_claims import said, severities


def _counted(metric, value, **about):
    return severities(truth.counts_of_the_set, [said(metric, value, **about)])


@pytest.mark.parametrize(
    ("metric", "value", "dataset", "split"),
    [
        ("images", 30, "monuseg", "train"), ("images", 44, "monuseg", "all"), ("images", 80, "glas", "test"),
        ("images", 14, "kumar", "test"), ("nuclei", "16,966", "monuseg", "train"), ("nuclei", 16_958, "kumar", "all"),
        ("nuclei", "4,056", "tnbc", "all"), ("nuclei", "around 17,000", "monuseg", "train"),
        ("organs", "seven", "monuseg", "test"), ("organs", 9, "monuseg", "all"), ("glands", 1530, "glas", "all"),
        ("patients", 11, "tnbc", "all"),
    ],
)  # fmt: skip
def test_what_the_files_hold_is_fine(metric, value, dataset, split):
    assert _counted(metric, value, dataset=dataset, split=split) == ["fine"]


def test_every_set_agrees_with_its_own_facts():
    """Consistent counts of any set, split and way of counting: none may be accused."""
    for dataset in ("monuseg", "kumar", "glas", "tnbc"):
        for split in facts.read(dataset)["splits"]:
            held = real.part(dataset, split)
            claims = [said("images", held.images, dataset=dataset, split=split)]
            claims += [said("nuclei", number, dataset=dataset, split=split) for number in held.objects.values()]
            claims += [said("organs", len(held.organs), dataset=dataset, split=split)]
            claims += [said("organ", ", ".join(held.organs), dataset=dataset, split=split)]
            for height, width in held.sizes_px:
                row = {"dataset": dataset, "split": split, "location": f"{height}"}
                claims += [said("height_px", height, **row), said("width_px", width, **row)]
            for check in (truth.counts_of_the_set, truth.organs_of_the_set, sizes.sizes_of_the_set):
                assert set(severities(check, claims)) <= {"fine"}


def test_other_numbers_are_found_and_the_organisers_own_is_named():
    (test_nuclei,) = truth.counts_of_the_set([said("nuclei", "21,000", dataset="monuseg", split="test")])
    assert test_nuclei.severity == "inconsistent"
    assert "6,697 labelled objects" in test_nuclei.explanation
    assert "own number is 7,223; other versions of the set may exist." in test_nuclei.explanation
    assert _counted("nuclei", 2754, dataset="tnbc") == ["inconsistent"]
    assert _counted("images", 37, dataset="monuseg", split="train") == ["inconsistent"]


def test_a_paper_that_repeats_the_organisers_number_is_told_to_do_so():
    (found,) = truth.counts_of_the_set([said("nuclei", "around 22,000", dataset="kumar")])
    assert "own number is 21,623, which the paper repeats; other versions" in found.explanation


def test_seven_organs_of_the_whole_set_are_those_of_each_half():
    (found,) = truth.counts_of_the_set([said("organs", "seven", dataset="monuseg")])
    assert found.severity == "inconsistent"
    assert found.explanation.endswith("There are 7 in train and 7 in test, not all the same.")


def test_images_held_out_for_validation_or_left_out_are_no_contradiction():
    fit, held = said("images", 24, dataset="monuseg", split="train"), said("images", 6, dataset="monuseg", split="val")
    assert severities(truth.counts_of_the_set, [fit, held]) == ["fine"]
    assert severities(truth.counts_of_the_set, [fit]) == ["unlikely"]


def test_what_cannot_be_compared_is_left_alone_or_said_so():
    assert _counted("nuclei", "200,000", dataset="pannuke") == ["not testable here"]
    assert _counted("images", 35, dataset="tnbc", split="train") == []
    assert _counted("images", 240, row="augmented", dataset="monuseg", split="train") == []
    assert _counted("images", 5, dataset="folder") == _counted("images", 5, dataset="synthetic") == []
    assert _counted("nuclei", 293, row="most in an image", dataset="tnbc") == []


def test_organs_are_recognised_in_lists_and_in_rows():
    listed = said("organ", "breast, bladder, colon, liver, kidney, prostate, and stomach", dataset="kumar")
    assert severities(truth.organs_of_the_set, [listed]) == ["fine"]
    sick = said("organ", "Triple-Negative Breast Cancer", dataset="tnbc")
    assert severities(truth.organs_of_the_set, [sick]) == ["fine"]
    assert severities(truth.organs_of_the_set, [said("organ", "brain", dataset="consep")]) == ["not testable here"]
    (found,) = truth.organs_of_the_set([said("f1", "81.2", "Net: Thyroid", dataset="kumar", split="test")])
    assert (found.severity, "thyroid: not among" in found.explanation) == ("inconsistent", True)
    assert severities(truth.organs_of_the_set, [said("f1", "81.2", "Net: Benign", dataset="kumar")]) == []
    sentence = said("ordering", "better", "A > B: Thyroid in f1", dataset="kumar")
    assert severities(truth.organs_of_the_set, [sentence]) == []


def test_the_livers_of_monuseg_carry_barcodes_of_lungs():
    rows = [said(metric, "78.0", "Net: Liver", dataset="kumar", split="test") for metric in ("f1", "iou")]
    (found,) = truth.barcodes_of_organs(rows)
    assert (found.severity, found.rows) == ("inconsistent", (rows[0].key,))
    assert "6 of the 6 tiles" in found.explanation
    assert "TCGA-18-5592" in found.explanation
    breast = said("f1", "78.0", "Net: Breast", dataset="monuseg", split="test")
    assert severities(truth.barcodes_of_organs, [breast]) == ["fine"]
    bladder = said("f1", "78.0", "Net: Bladder", dataset="kumar", split="test")
    assert severities(truth.barcodes_of_organs, [bladder]) == []
    assert severities(truth.barcodes_of_organs, [said("f1", "78.0", "Net: Liver", dataset="pannuke")]) == []


def test_magnification_is_compared_with_the_size_of_a_pixel():
    assert severities(truth.magnification_of_the_set, [said("magnification", "40x", dataset="monuseg")]) == ["fine"]
    assert severities(truth.magnification_of_the_set, [said("magnification", "20×", dataset="glas")]) == ["fine"]
    assert severities(truth.magnification_of_the_set, [said("magnification", "20x", dataset="monuseg")]) == ["unlikely"]
    assert severities(truth.magnification_of_the_set, [said("magnification", "40x", dataset="tnbc")]) == []


def _sized(height, width, row="", **about):
    return [said("height_px", height, row, **about), said("width_px", width, row, **about)]


def test_sizes_are_those_of_the_files_either_way_round():
    assert severities(sizes.sizes_of_the_set, _sized(522, 775, dataset="glas")) == ["fine"]
    assert severities(sizes.sizes_of_the_set, _sized(775, 522, dataset="glas")) == ["fine"]
    assert severities(sizes.sizes_of_the_set, _sized(600, 600, dataset="tnbc")) == ["inconsistent"]
    assert severities(sizes.sizes_of_the_set, _sized(600, 600, dataset="cpm17")) == ["not testable here"]
    assert severities(sizes.sizes_of_the_set, _sized(600, 600, "resized", dataset="tnbc")) == []


def test_two_input_sizes_that_are_each_others_are_exchanged():
    own = _sized(512, 512, dataset="tnbc") + _sized(500, 500, "smallest", dataset="cpm17")
    own += _sized(600, 600, "largest", dataset="cpm17")

    def given(tnbc, cpm17):
        inputs = _sized(tnbc, tnbc, "network input", dataset="tnbc", location="Section 4")
        return own + inputs + _sized(cpm17, cpm17, "network input", dataset="cpm17", location="Section 4")

    (found,) = sizes.input_sizes_exchanged(given(600, 512))
    assert (found.severity, found.values) == ("inconsistent", ("600", "600", "512", "512"))
    assert severities(sizes.input_sizes_exchanged, given(512, 600)) == ["fine"]
    assert severities(sizes.input_sizes_exchanged, given(256, 256)) == ["fine"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("PyTorch version 1.18.0", ["inconsistent"]), ("PyTorch 1.13.1", ["fine"]), ("PyTorch 2.99", []),
        ("TensorFlow 1.16", ["inconsistent"]), ("tensorflow-1.15", ["fine"]), ("Keras", []),
        ("Python 2.8", ["inconsistent"]),
    ],
)  # fmt: skip
def test_versions_above_the_last_of_a_closed_line_never_existed(words, expected):
    assert severities(equipment.versions_that_exist, [said("software", words)]) == expected


@pytest.mark.parametrize(
    ("value", "row", "quote", "expected"),
    [
        (16, "", "tested it on the GPU GTX 1080 Ti with 16 GB of memory", ["unlikely"]),
        (11, "", "a GTX 1080Ti with 11 GB", ["fine"]),
        (22, "", "two GTX 1080 Ti with 22 GB", ["fine"]),
        (32, "Ram", "a desktop system with 32GB Ram and NVIDIA GeForce Titan X GPU", []),
        (32, "", "a Titan X GPU with 32 GB RAM", []),
        (64, "", "64 GB of memory and a GTX 1080 Ti", []),
        (10, "NVIDIA RTX 3090", "", ["inconsistent"]),
        (24, "RTX 3090", "", ["fine"]),
    ],
)
def test_memory_is_compared_only_where_it_is_said_of_the_card(value, row, quote, expected):
    assert severities(equipment.memory_of_the_card, [said("memory", value, row, quote=quote)]) == expected


def test_a_longer_name_is_another_card():
    assert equipment.card_in("one NVIDIA RTX 3090 Ti") is None
    assert equipment.card_in("NVIDIA GeForce RTX 3090 GPU")["memory_gb"] == 24


def test_every_known_fact_has_its_source_and_names_what_there_is():
    told = known.known()
    assert all(card["teraflops"] > 1 for card in told["graphics"])
    assert {one["dataset"] for one in told["published"]} <= set(registry.entries())
    assert set(told["sites"]["projects"].values()) == set(told["sites"]["organs"])
    for stack in told["cascade"]:
        assert any((one.paper, one.metric) == (stack["paper"], "receptive_field_px") for one in load_claims())


def test_barcodes_that_are_known_agree_with_all_labels_but_the_livers():
    tiles = [tile for tile in truth._tiles("monuseg") if tile["by_barcode"]]
    assert len(tiles) == 24
    assert {tile["organ"] for tile in tiles if tile["organ"] != tile["by_barcode"]} == {"liver"}


@pytest.mark.parametrize(
    ("text", "message"), [("[[software]]\nname = 'x'", "lacks last_minor, source"), ("[", "cannot be read")]
)
def test_a_damaged_file_of_known_facts_is_named(tmp_path, monkeypatch, text, message):
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "known.toml").write_text(text)
    monkeypatch.setattr(known, "data_dir", lambda: tmp_path)
    with pytest.raises(DataError, match=message):
        known.known.__wrapped__()


def test_the_real_sets_are_read_from_their_facts():
    glas = real.part("glas", "test")
    assert glas.sizes_px[522, 775] == 72
    assert glas.objects["objects"] == 666 + 118
    assert real.part("synthetic", "all") is real.part("glas", "val") is None
    assert real.part("tnbc", "all").um_per_px == {}
