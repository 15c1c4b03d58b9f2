"""Speeds of networks: what the file holds, what the page shows of it, and that they can be measured again."""

import json
import mmap
import re
from dataclasses import replace
from datetime import date

import pytest
import torch

from histolab_lib.bookbuild import speeds as page
from histolab_lib.bookbuild.speeds import KINDS, PLAIN, Measured, Speed, load_speeds, speed_table
from histolab_lib.data_dir import DataError, data_dir
from histolab_lib.outputs import Output
from histolab_lib.papers.registry import networks
from tests import measure_speed
from tests.books import ROOT
from tests.measure_speed import FILE, SETTINGS, builds, chosen, main, measure

KEPT = json.loads(FILE.read_text(encoding="utf-8"))["builds"]
COUNTED = json.loads((data_dir() / "facts" / "parameters.json").read_text(encoding="utf-8"))["networks"]
MADE_UP = Speed(
    "unet/mobilenetv2", "2026-01-02", "a processor, 1 thread", "2.13.0", 256, 4,
    {
        PLAIN: Measured(2.0, 8.0, 1900), "channels_last": Measured(5.0, 8.0, 1700),
        "channels_last+bf16": Measured(4.0, 18.5, 1200),
    },
)  # fmt: skip


def _rows(table):
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_build_of_the_file_is_one_of_the_registry_and_has_its_row_of_parameters():
    assert KEPT
    for build in KEPT:
        name, variant = build.split("/")
        assert variant in networks()[name].rows
        assert COUNTED[name]["variants"][variant]["parameters"] > 0


@pytest.mark.parametrize("build", KEPT)
def test_an_entry_says_when_on_what_and_how_fast_in_every_setting(build):
    told = KEPT[build]
    assert list(told) == ["date", "device", "torch", "size_px", "batch", "settings"]
    assert date.fromisoformat(told["date"]) >= date(2026, 11, 21)
    assert told["device"].endswith(", 1 thread")
    assert (told["size_px"], told["batch"]) == (256, 4)
    needed = [name for name, how in SETTINGS.items() if not how.compiled]
    assert list(told["settings"]) in (needed, list(SETTINGS))
    for numbers in told["settings"].values():
        assert list(numbers) == [*KINDS, "peak_mib"]
        assert 0 < numbers["training"] < numbers["inference"]
        assert isinstance(numbers["peak_mib"], int)
        assert numbers["peak_mib"] > 50  # a batch of four with a gradient


def test_what_the_file_holds_is_read_as_it_stands():
    read = {one.build: one for one in load_speeds()}
    assert list(read) == list(KEPT)
    for build, one in read.items():
        numbers = {setting: vars(told) for setting, told in one.settings.items()}
        assert {**vars(one), "settings": numbers} == {"build": build, **KEPT[build]}


def test_the_table_shows_the_fastest_settings_and_ratios_that_follow_from_the_file():
    head, _, *rows = _rows(speed_table(load_speeds(), COUNTED))
    for (build, told), row in zip(KEPT.items(), rows, strict=True):
        shown, settings = dict(zip(head, row, strict=True)), told["settings"]
        for kind in KINDS:
            best = max(numbers[kind] for numbers in settings.values())
            speed, ratio, setting = re.fullmatch(r"([\d.]+) \(([\d.]+) ×, (\S+)\)", shown[f"{kind}, best"]).groups()
            assert float(speed) == settings[setting][kind] == best, build
            assert float(ratio) == pytest.approx(best / settings[PLAIN][kind], abs=0.0501)
            assert float(shown[f"{kind}, plain"]) == settings[PLAIN][kind]


def test_a_row_of_the_table_by_hand():
    head, line, row = _rows(speed_table([MADE_UP], COUNTED))
    assert len(head) == len(line) == len(row)
    parameters = COUNTED["unet"]["variants"]["mobilenetv2"]["parameters"]
    assert row == [
        "U-Net, mobilenetv2", f"{parameters:,}", "2", "5 (2.5 ×, channels_last)", "8",
        "18.5 (2.3 ×, channels_last+bf16)", "1,900", "1,700",
    ]  # fmt: skip


def test_where_it_was_measured_stands_below_and_names_the_networks_of_each_machine():
    other = replace(MADE_UP, build="linknet/base", device="another, 1 thread")
    place = "on a processor, 1 thread, with torch 2.13.0, 4 images of 256 x 256 pixels at a time, 2026-01-02."
    assert speed_table([MADE_UP], COUNTED).endswith(f"|\n\nMeasured {place}\n")
    below = speed_table([MADE_UP, other], COUNTED).splitlines()[-1]
    assert below.startswith(f"U-Net, mobilenetv2: measured {place} LinkNet: measured on another, 1 thread, ")


def test_the_reference_page_has_the_table_in_place_of_its_comment():
    source = [(ROOT / "book" / "reference" / "networks.md").read_text(encoding="utf-8")]
    page._put_table(None, "book/reference/networks", source)
    assert speed_table(load_speeds(), COUNTED) in source[0]
    assert "% Here" not in source[0]
    other = ["# A page\n"]
    page._put_table(None, "book/other", other)
    assert other == ["# A page\n"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "JSONDecodeError"), ("{}", "KeyError"), ('{"builds": {"a/b": {"settings": {}}}}', "KeyError")],
)
def test_a_file_that_is_damaged_is_named(tmp_path, text, said):
    (tmp_path / "speed.json").write_text(text)
    with pytest.raises(DataError, match=rf"speed\.json: cannot be read as measured speeds \({said}"):
        load_speeds(tmp_path / "speed.json")


def test_by_default_every_network_and_both_readings_are_measured_but_no_ablation():
    default = builds()
    assert {build.split("/")[0] for build in default if build.endswith("/base")} == set(networks())
    assert {"haru_net/base", "haru_net/code", "unet/mobilenetv2", "linknet/mobilenetv2"} <= set(default)
    assert set(default) < set(builds(None))
    assert "haru_net/unet" not in default
    assert "haru_net/unet" in builds(None)


def test_a_network_is_its_base_where_no_variant_is_named_and_all_are_measured_where_nothing_is():
    assert chosen(["haru_net", "unet/resnet18"]) == ["haru_net/base", "unet/resnet18"]
    assert chosen([]) == list(builds())


def test_a_build_that_is_unknown_is_told_before_anything_is_measured(tmp_path):
    with pytest.raises(ValueError, match="unknown build 'unet/bas', did you mean 'unet/base'"):
        main(["small_unet/base", "unet/bas"], tmp_path / "speed.json")
    assert not (tmp_path / "speed.json").exists()


class _TwoMaps(torch.nn.Module):
    """The smallest network with a map beside its mask; notes in what it was called."""

    def __init__(self):
        super().__init__()
        self.mask, self.contour = torch.nn.Conv2d(3, 1, 1), torch.nn.Conv2d(3, 2, 1)
        self.seen = []

    def forward(self, images):
        mask = self.mask(images)
        last = images.is_contiguous(memory_format=torch.channels_last)
        self.seen.append((self.training, last, mask.dtype, torch.is_grad_enabled()))
        return Output(mask, {"contour": self.contour(images)})


@pytest.mark.thorough  # torch imports much when it first makes an optimiser
@pytest.mark.parametrize(
    ("setting", "last", "dtype"),
    [
        (PLAIN, False, torch.float32),
        ("channels_last", True, torch.float32),
        ("channels_last+bf16", True, torch.bfloat16),
    ],
)
def test_a_step_trains_every_part_and_computes_as_the_setting_says(setting, last, dtype):
    network = _TwoMaps()
    before = [p.clone() for p in network.parameters()]
    train, infer = measure_speed._steps(network, SETTINGS[setting], torch.rand(2, 3, 4, 4))
    train()
    infer()
    assert network.seen == [(True, last, dtype, True), (False, last, dtype, False)]
    assert all(not torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True))


def test_the_peak_counts_from_now_and_holds_what_was_given_back():
    before = measure_speed._peak_mib(afresh=True)
    with mmap.mmap(-1, 2**25) as block:  # 32 MiB that no allocator has at hand
        for page in range(0, len(block), mmap.PAGESIZE):
            block[page] = 1
    assert 30 < measure_speed._peak_mib() - before < 60
    assert measure_speed._peak_mib(afresh=True) < before + 16


@pytest.mark.thorough
def test_measuring_one_build_writes_it_and_leaves_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(measure_speed, "_in_a_new_process", lambda work, *arguments: work(*arguments))
    path, threads = tmp_path / "speed.json", torch.get_num_threads()
    other = {**KEPT["small_unet/base"], "date": "2026-11-22"}
    path.write_text(json.dumps({"builds": {"unet/base": other, "gone/base": other}}))
    main(["small_unet/base"], path, size_px=16, batch=2)
    builds_now = json.loads(path.read_text(encoding="utf-8"))["builds"]
    assert list(builds_now) == ["small_unet/base", "unet/base"]  # as the registry has them
    assert builds_now["unet/base"] == other
    first, _ = load_speeds(path)
    assert (first.size_px, first.batch) == (16, 2)
    assert set(first.settings) == {name for name, how in SETTINGS.items() if not how.compiled}
    assert all(told.training > 0 and told.inference > 0 for told in first.settings.values())
    assert torch.get_num_threads() == threads


@pytest.mark.thorough
def test_a_new_process_measures_what_a_step_of_the_small_unet_needs_at_least():
    told = measure_speed._in_a_new_process(measure, "small_unet/base", SETTINGS[PLAIN], 64, 4)
    state = 3 * COUNTED["small_unet"]["variants"]["base"]["parameters"] * 4 / 2**20  # gradients, two moments
    assert state < told["peak_mib"] < state + 200
