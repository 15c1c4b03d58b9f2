"""Names that mean one system: the table of aliases against claims and texts, and wrong tables."""

import re

import pytest

from histolab_lib.audit.rules.names import load_aliases, one_name
from histolab_lib.claims import load_claims
from histolab_lib.data_dir import DataError

GOOD = """[[alias]]
paper = "mine"
names = ["U-Net", "baseline"]
words = "our baseline is a U-Net"
reason = "It says so."
"""


def test_case_blanks_and_hyphens_make_no_other_name_and_all_else_does():
    names = ("U-Net", "UNet", "Unet", "U Net", "u-net")
    assert len({one_name("mine", name) for name in names}) == 1
    others = ("U-Net", "U-Net++", "U-Net + RSU", "W-Net", "U-Net: Liver", "U-Net: Colon", "")
    assert len({one_name("mine", name) for name in others}) == len(others)


def test_an_alias_holds_in_its_paper_alone_and_keeps_the_part_of_the_data():
    assert one_name("haru_net", "Baseline U-Net") == one_name("haru_net", "U-Net")
    assert one_name("mine", "Baseline U-Net") != one_name("mine", "U-Net")
    assert one_name("dan_nucnet", "NucliSegNet: Liver") == one_name("dan_nucnet", "NucleiSegNet: liver")


def test_every_name_of_an_alias_but_one_at_most_is_a_row_of_its_paper():
    rows = {(one.paper, one.system) for one in load_claims()}
    for alias in load_aliases():
        assert sum((alias.paper, name) in rows for name in alias.names) >= 2, alias


@pytest.mark.real
def test_every_alias_rests_on_words_that_its_paper_prints(papers):
    for alias in load_aliases():
        text = (papers / f"{alias.paper}.txt").read_text(encoding="utf-8")
        plain = " ".join(re.sub(r"-[ ]*\n\s*", "", text).split())
        assert alias.words in plain, alias


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[alias", "cannot be read as a table of aliases"),
        (
            GOOD.replace('reason = "It says so."', ""),
            "alias 1: expected the keys names, paper, reason, words, got names",
        ),
        (GOOD + 'why = ""', "alias 1: expected the keys names, paper, reason, words, got names"),
        (GOOD.replace(', "baseline"', ""), "alias 1: needs two names or more, printed words and a reason"),
        (GOOD.replace("It says so.", ""), "alias 1: needs two names or more, printed words and a reason"),
        (GOOD + GOOD.replace("U-Net", "W-Net", 1), "alias 2: 'baseline' stands in an earlier table of mine"),
    ],
)
def test_a_wrong_table_of_aliases_is_an_error_that_names_it(tmp_path, text, message):
    path = tmp_path / "aliases.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(message)):
        load_aliases(path)


def test_a_table_of_aliases_is_read_and_a_missing_one_is_an_error(tmp_path):
    path = tmp_path / "aliases.toml"
    with pytest.raises(DataError, match=r"aliases\.toml: cannot be read"):
        load_aliases(path)
    path.write_text(GOOD, encoding="utf-8")
    assert [one.names for one in load_aliases(path)] == [("U-Net", "baseline")]
