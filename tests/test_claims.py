"""The vocabulary of claims, their numbers and keys, and the loader against files that are wrong."""

import re
from decimal import Decimal

import pytest

from histolab_lib import claims, datasets
from histolab_lib.claims import HEADER, METRICS, Claim, claim, load_claims
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.datasets import registry
from tests.books import ROOT

ROW = "mine,Table 1,U-Net,monuseg,test,dice,0.80,fraction,per_image,14,"


def test_each_file_is_named_after_its_paper_and_has_rows():
    for path in sorted((data_dir() / "claims").glob("*.csv")):
        assert {one.paper for one in load_claims(path)} == {path.stem}
    assert {one.paper for one in load_claims()} == set(claims.PAPERS)


def test_the_rows_that_the_book_compares_itself_with_are_there():
    rows = {one.row.lower().replace("-", "") for one in load_claims() if one.location.startswith("Table")}
    assert {"unet", "unet++", "linknet", "deeplabv3+"} <= rows
    counted = {(one.paper, one.metric) for one in load_claims()}
    for paper in claims.PAPERS:
        assert (paper, "images") in counted, paper


def test_a_claim_is_found_by_its_key():
    found = claim("msal_net/table-1/unet+res-18/monuseg/test/dice")
    assert (found.value, found.row, found.images) == ("0.781", "Unet + Res-18", 14)
    assert claim("histoseg/table-iv/u-net++/glas/test/iou").value == "65.55"
    assert claim("gland_linknet/section-ii-b/linknet/parameters").unit == "million"
    assert all(claim(one.key) == one for one in load_claims())


def test_an_unknown_key_names_the_nearest():
    with pytest.raises(
        LookupError, match=r"unknown claim 'haru_net/table-1/u-net/monuseg/dice'; the nearest are 'haru"
    ):
        claim("haru_net/table-1/u-net/monuseg/dice")


def test_scores_and_data_sets_have_the_names_of_the_library():
    record = datasets.load("synthetic", "test", n=1, size=64)[0].instances
    from histolab_lib.metrics import evaluate

    distances = ("object_hausdorff", "hd95", "boundary_f1")
    named = {*evaluate(record, record), *evaluate(record, record, distances, tolerance_px=2)}
    assert {*claims.SCORES, *claims.DISTANCES} <= named
    sets = registry.modules()
    assert set(sets) <= set(claims.DATASETS)
    for module in sets.values():
        assert set(getattr(module, "SPLITS", ())) <= set(claims.SPLITS), module


def test_the_readme_explains_every_word_of_the_vocabularies():
    text = (ROOT / "data" / "claims" / "README.md").read_text(encoding="utf-8").replace("`fold1` to `fold3`", "`fold2`")
    words = {*claims.DATASETS, *claims.SPLITS, *METRICS, *claims.AVERAGING, *claims.PAPERS, claims.UNREADABLE}
    words |= {unit for units in METRICS.values() for unit in units}
    assert {word for word in words if f"`{word}`" not in text} == {"fold1", "fold3"}
    assert f"`{','.join(HEADER)}`" in text


def _made(value, unit="fraction", metric="dice"):
    return Claim("mine", "Table 1", "U-Net", "monuseg", "test", metric, value, unit, "pooled")


@pytest.mark.parametrize(
    ("value", "unit", "metric", "number", "low", "high"),
    [
        ("0.838", "fraction", "dice", "0.838", "0.8375", "0.8385"),
        ("0.80", "fraction", "dice", "0.8", "0.795", "0.805"),
        ("79.43", "percent", "iou", "79.43", "79.425", "79.435"),
        ("82 %", "percent", "iou", "82", "81.5", "82.5"),
        ("9.276", "million", "parameters", "9.276", "9.2755", "9.2765"),
        ("1e-5", "none", "learning_rate", "0.00001", "0.000005", "0.000015"),
        ("21,623", "count", "nuclei", "21623", "21623", "21623"),
        ("1000", "px", "width_px", "1000", "1000", "1000"),
        ("80", "px", "object_hausdorff", "80", "79.5", "80.5"),
        ("seven", "count", "organs", "7", "7", "7"),
        ("around 22,000", "count", "nuclei", "22000", "21500", "22500"),
        ("about 7", "hours", "training_time", "7", "6.5", "7.5"),
        ("40x", "none", "magnification", "40", "40", "40"),
        ("1x10^{-6}", "none", "min_delta", "1e-6", "5e-7", "1.5e-6"),
        ("fifty percent", "percent", "threshold", "50", "49.5", "50.5"),
    ],
)
def test_a_printed_number_stands_for_what_rounding_allows(value, unit, metric, number, low, high):
    one = _made(value, unit, metric)
    assert one.value == value
    assert one.number == Decimal(number)
    assert one.interval == (Decimal(low), Decimal(high))


def test_words_and_lost_values_are_no_numbers():
    for one in (_made("unreadable"), _made("breast and liver", "none", "organ")):
        assert one.number is None
        assert one.interval is None


def test_the_tooltip_says_where_on_what_and_how_averaged():
    found = claim("dan_nucnet/table-4/unet++/kumar/test/f1")
    assert found.tooltip == "DAN-NucNet, Table 4, row UNet++: f1 on kumar, test; mean over groups of images"
    nuclei = claim("dan_nucnet/section-4.1/kumar/all/nuclei")
    assert nuclei.tooltip == "DAN-NucNet, Section 4.1: nuclei on kumar, all"
    assert _made("0.8").tooltip.startswith("mine, Table 1, row U-Net: dice on monuseg, test; pooled")


def test_a_readers_own_table_is_read_with_the_same_columns(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("\ufeff" + ",".join(HEADER) + "\r\n" + ROW + "\r\n\r\n", encoding="utf-8")
    (one,) = load_claims(path)
    assert (one.key, one.images, one.averaging) == ("mine/table-1/u-net/monuseg/test/dice", 14, "per_image")
    assert one.source == f"{path}, line 2"
    assert load_claims(tmp_path) == (one,)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (ROW.replace("dice", "dise"), "unknown metric 'dise', did you mean 'dice'? Allowed: 'dice', 'iou', "),
        (ROW.replace("monuseg", "monuseq"), "unknown dataset 'monuseq', did you mean 'monuseg'? Allowed: "),
        (ROW.replace("test", "tests"), "unknown split 'tests', did you mean 'test'? Allowed: 'train', 'val', "),
        (ROW.replace("fraction", "px"), "unknown unit of dice 'px'. Allowed: 'fraction', 'percent'"),
        (ROW.replace("per_image", ""), "unknown averaging ''. Allowed: 'per_image', 'pooled', 'per_group', 'unstated'"),
        (ROW.replace("0.80", "0.8O"), "value must be a number as printed or 'unreadable', got '0.8O'"),
        (ROW.replace("0.80", ""), "value must be a number as printed or 'unreadable', got ''"),
        (ROW.replace("dice,0.80,fraction", "organ,,none"), "value is empty; write 'unreadable' where the text has "),
        (ROW.replace("14", "fourteen"), r"images must match \d*, got 'fourteen'"),
        (ROW.replace("mine", "My paper"), "paper must match [a-z0-9_]+, got 'My paper'"),
        (ROW.replace("Table 1", ""), "location must match .+, got ''"),
        (ROW + ",more", "expected 11 fields, got 12; quote a field that has a comma"),
    ],
)
def test_a_wrong_row_is_an_error_that_names_file_line_and_what_is_allowed(tmp_path, row, message):
    path = tmp_path / "mine.csv"
    path.write_text("\n".join([",".join(HEADER), ROW, row]), encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(f"{path}, line 3: {message}")):
        load_claims(path)


def test_a_second_row_with_the_same_key_is_an_error_that_names_both(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("\n".join([",".join(HEADER), ROW, ROW.replace("0.80", "0.81")]), encoding="utf-8")
    message = f"{path}, line 3: mine/table-1/u-net/monuseg/test/dice stands already at {path}, line 2; rows must differ"
    with pytest.raises(DataError, match=re.escape(message)):
        load_claims(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: the header must be paper,location"),
        (",".join(HEADER[::-1]).encode(), "line 1: the header must be paper,location,row,.* got note,images"),
        (b'paper\n"open', "the header must be"),
        (",".join(HEADER).encode() + b'\n"mine,', "cannot be read as a claim file"),
        (b"\xff\xfe", "cannot be read as a claim file"),
    ],
)
def test_what_is_no_claim_file_is_an_error_that_names_it(tmp_path, content, message):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"mine.csv.*{message}"):
        load_claims(path)


def test_a_missing_file_and_an_empty_folder_are_errors(tmp_path):
    with pytest.raises(DataError, match=r"gone\.csv: cannot be read as a claim file"):
        load_claims(tmp_path / "gone.csv")
    with pytest.raises(DataError, match=r"no claim file \(\*\.csv\) there"):
        load_claims(tmp_path)


@pytest.mark.parametrize(
    ("row", "ranks", "metrics", "table"),
    [
        ("A > B in dice", (("A",), ("B",)), ("dice",), ""),
        ("A > * in dice, aji (Table 1)", (("A",), ("*",)), ("dice", "aji"), "Table 1"),
        ("A | B > C > * in f1 (Table IV)", (("A", "B"), ("C",), ("*",)), ("f1",), "Table IV"),
        ("U-Net | Ours in iou", (("U-Net", "Ours"),), ("iou",), ""),
        ("P: Bladder > N: Bladder in f1 (Table 2)", (("P: Bladder",), ("N: Bladder",)), ("f1",), "Table 2"),
    ],
)
def test_who_is_better_than_whom_is_read_from_the_row(row, ranks, metrics, table):
    one = Claim("mine", "Table 1", row, "monuseg", "test", "ordering", "better", "none", "")
    assert one.comparison == claims.Comparison(ranks, metrics, table)


@pytest.mark.parametrize("row", ["A is better", "A in dice", "A>B in dice", "A > B", "A > B in dice, luck"])
def test_a_gain_whose_row_is_no_comparison_is_refused_with_its_line(tmp_path, row):
    path = tmp_path / "mine.csv"
    path.write_text(f'{",".join(HEADER)}\nmine,Abstract,"{row}",monuseg,test,gain,1.5,percent,,,\n')
    with pytest.raises(DataError, match=r"mine.csv, line 2: row of gain: (expected 'A > B in|unknown metric 'luck')"):
        load_claims(path)


def test_a_row_is_a_system_and_a_part_of_the_data():
    one = Claim("mine", "Table 1", "U-Net: Average", "monuseg", "test", "dice", "0.8", "fraction", "per_group")
    assert (one.system, one.group) == ("U-Net", "Average")
    assert (_made("0.8").system, _made("0.8").group) == ("U-Net", "")
