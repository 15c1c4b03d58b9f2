"""Whole recipes: what they say, where it stands, and that a batch is changed so and no further."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from histolab_lib.augment import RECIPES, Augmentation, augment, jitter_stain, turn_and_flip


def _batch(n=6, size=32, seed=0):
    images = torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(seed))
    ids = torch.arange(n * size * size, dtype=torch.int32).reshape(n, 1, size, size)
    return images, ids


def _rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_every_value_of_a_recipe_has_its_source(recipe):
    off = Augmentation(name=recipe.name)
    used = {f.name for f in fields(recipe) if f.compare and getattr(recipe, f.name) != getattr(off, f.name)}
    assert set(recipe.sources) == used
    assert all(source.startswith(("section ", "released code: ", "ours: ")) for source in recipe.sources.values())
    assert all(
        '"' in source for source in recipe.sources.values() if source.startswith("section ") and "III-A:" not in source
    )


@pytest.mark.real
def test_what_a_recipe_quotes_from_a_section_stands_in_the_paper(papers):
    texts = {
        key: " ".join((papers / f"{key}.txt").read_text(encoding="utf-8").replace("-\n", "").split())
        for key in ("haru_net", "gland_linknet", "msal_net", "dan_nucnet")
    }
    quoted = 0
    for recipe in RECIPES.values():
        for source in recipe.sources.values():
            if source.startswith("section "):
                text = next(text for key, text in texts.items() if recipe.name.startswith(key))
                for quote in source.split('"')[1::2]:
                    quoted += 1
                    assert quote in text, (recipe.name, quote)
    assert quoted >= 15


def test_the_recipes_of_the_papers_say_what_the_papers_say():
    msal, haru, dan = (RECIPES[name] for name in ("msal_net", "haru_net_code", "dan_nucnet"))
    assert (msal.rotate_deg, msal.zoom, msal.flip_h, msal.flip_v, msal.quarter_turns) == (
        15,
        (1.0, 1.2),
        True,
        True,
        False,
    )
    assert (haru.flip_h, haru.quarter_turns, haru.warps) == (True, True, False)
    assert replace(dan, name="x", flip_h=False, flip_v=False) == Augmentation(name="x")
    strong = RECIPES["strong_unet"]
    assert (strong.zoom, strong.stain_scale, strong.stain_shift) == ((0.75, 1.33), (0.7, 1.35), 0.06)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_a_recipe_keeps_shape_type_and_range_and_repeats_itself(recipe):
    images, ids = _batch()
    before = images.clone(), ids.clone()
    first, again = (augment(images, ids, _rng(1), recipe) for _ in range(2))
    for one, two, given, kept in zip(first, again, (images, ids), before, strict=True):
        assert torch.equal(one, two)
        assert torch.equal(given, kept)
        assert (one.shape, one.dtype) == (given.shape, given.dtype)
    assert first[0].min() >= 0
    assert first[0].max() <= 1
    changes = recipe.name not in ("none", "histoseg")
    assert torch.equal(first[0], images) is not changes
    assert set(first[1][3].flatten().tolist()) <= set(ids[3].flatten().tolist())


def test_the_default_is_turn_and_flip_then_stain():
    images, ids = _batch()
    rng = _rng(4)
    moved, moved_ids = turn_and_flip(images, ids, rng)
    expected = jitter_stain(moved, rng)
    found, found_ids = augment(images, ids, _rng(4))
    assert torch.equal(found, expected)
    assert torch.equal(found_ids, moved_ids)


def test_flips_alone_move_pixels_and_change_none():
    images, ids = _batch(40, 8)
    moved, moved_ids = augment(images, ids, _rng(), RECIPES["dan_nucnet"])
    kinds = {}
    for k in range(40):
        options = {"no": images[k], "h": images[k].flip(-1), "v": images[k].flip(-2), "hv": images[k].flip(-2, -1)}
        (kind,) = [name for name, option in options.items() if torch.equal(option, moved[k])]
        flipped = {"no": (), "h": (-1,), "v": (-2,), "hv": (-2, -1)}[kind]
        assert torch.equal(moved_ids[k], ids[k].flip(*flipped) if flipped else ids[k])
        kinds[kind] = kinds.get(kind, 0) + 1
    assert set(kinds) == {"no", "h", "v", "hv"}
    assert all(3 <= count <= 18 for count in kinds.values())  # ten each on average, sd 2.7


def test_a_wide_crop_shows_tissue_where_a_tight_one_shows_its_mirror_image():
    recipe = replace(RECIPES["msal_net"], flip_h=False, flip_v=False)
    margin = recipe.margin_px(16)
    rows = torch.arange(16 + 2 * margin, dtype=torch.float32)
    images = (rows[:, None] * 1e-3).expand(8, 3, -1, len(rows)).contiguous()
    places = torch.arange(len(rows) ** 2, dtype=torch.int32).reshape(1, 1, len(rows), -1).expand(8, 1, -1, -1)
    _, wide = augment(images, places, _rng(), recipe, size_px=16)
    tight_places = places[..., margin:-margin, margin:-margin]
    _, tight = augment(images[..., margin:-margin, margin:-margin], tight_places, _rng(), recipe)
    unmirrored = [len(set(one.flatten().tolist())) for one in wide]
    mirrored = [len(set(one.flatten().tolist())) for one in tight]
    assert wide.shape == tight.shape
    inside = torch.isin(wide, tight_places)  # the same draw, so what both show is the same
    assert torch.equal(wide[inside], tight[inside])
    assert all(more >= fewer for more, fewer in zip(unmirrored, mirrored, strict=True))
    assert sum(unmirrored) > sum(mirrored)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_the_margin_is_as_wide_as_the_recipe_reaches(recipe):
    size, spare = 20, 5
    margin = recipe.margin_px(size)
    rows = torch.arange(size + 2 * (margin + spare), dtype=torch.int32)
    edge = torch.minimum(rows, rows.flip(0))
    depth = torch.minimum(edge[:, None], edge[None]).expand(400, 1, -1, -1)  # pixels to the nearest border
    images = torch.zeros(400, 3, *depth.shape[-2:])
    _, seen = augment(images, depth, _rng(), replace(recipe, blur_share=0), size_px=size)
    if recipe.warps:
        assert spare <= seen.min() <= spare + 0.4 * margin  # wide enough, and not much wider
    else:
        assert margin == 0
        assert seen.min() == spare


def test_half_as_large_is_as_likely_as_twice_as_large():
    recipe = Augmentation(name="zoom", zoom=(0.5, 2.0))
    images = torch.zeros(2000, 1, 4, 4)
    columns = torch.arange(4).float().expand(2000, 1, 4, 4).contiguous()
    moved, _ = augment(columns, images, _rng(), recipe)
    slopes = moved[:, 0, 1, 2] - moved[:, 0, 1, 1]  # 1 / zoom, both points lie inside
    assert 0.47 < float((slopes < 1).float().mean()) < 0.53
    assert 0.5 <= float(slopes.min()) < 0.51
    assert 1.95 < float(slopes.max()) <= 2.0 + 1e-5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"zoom": (0, 1)}, r"mine: zoom must be \(low, high\), low at least 0\.01, got \(0, 1\)"),
        ({"contrast": (1.2, 0.8)}, r"mine: contrast must be \(low, high\), low at least 0, got \(1\.2, 0\.8\)"),
        ({"rotate_deg": 270}, r"mine: rotate_deg must be in 0\.\.180, got 270"),
        ({"noise_sd": -0.1}, r"mine: noise_sd must be in 0\.\.inf, got -0\.1"),
        ({"blur_share": 1.5}, r"mine: blur_share must be in 0\.\.1, got 1\.5"),
    ],
)
def test_a_recipe_out_of_range_is_an_error(values, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(name="mine", **values)


def test_batches_that_a_recipe_cannot_change_are_errors():
    images, ids = _batch(2, 8)
    with pytest.raises(TypeError, match=r"images must be float in 0\.\.1, got torch.uint8; divide 8-bit pixels by 255"):
        augment((images * 255).byte(), ids, _rng())
    with pytest.raises(ValueError, match=r"size_px must be in 1\.\.8 for crops of 8x8, got 9"):
        augment(images, ids, _rng(), size_px=9)
    with pytest.raises(ValueError, match="quarter turns need square crops, got 8x6 pixels"):
        augment(images[..., :6], ids[..., :6], _rng())
    with pytest.raises(ValueError, match="differ in number or size"):
        augment(images, ids[:1], _rng())
