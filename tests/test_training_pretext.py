"""The task without labels: what is shown, what is asked for, and from where chance comes."""

import numpy as np
import pytest
import torch

from histolab_lib.inputs import Hematoxylin
from histolab_lib.training.pretext import BLANKED, BLOCK_PX, Pretext, grey_with_holes, holes
from tests import base_network as base
from tests.literal import pretext as literal
from tests.tiny_training import Dots, disks


class Seen(Dots):
    """Keeps what it is given."""

    def forward(self, images):
        self.given = images
        return super().forward(images)


def _images():
    tiles = [disks(seed, 40) for seed in range(2)]
    return torch.from_numpy(np.stack([tile.image for tile in tiles])).permute(0, 3, 1, 2).float() / 255


def test_what_is_shown_and_what_is_asked_for_are_those_of_a_loop_over_pixels():
    images, network = _images()[:, :, :, :23], Seen()
    kept = images.clone()
    with torch.random.fork_rng():
        torch.manual_seed(3)
        output = Pretext(network)(images)
        torch.manual_seed(3)
        blocks = torch.rand(2, 1, 3, 2) < BLANKED  # 40 x 23 pixels are 3 x 2 blocks, some of them cut
    assert BLOCK_PX == 16
    assert 0 < int(blocks.sum()) < blocks.numel()
    for image, seen, told, blanked in zip(images, network.given, output.extra["hematoxylin"], blocks, strict=True):
        np.testing.assert_allclose(seen, literal.spoiled(image.double().numpy(), blanked[0].numpy()), atol=1e-6)
        np.testing.assert_allclose(told[0], literal.answer(image.double().numpy()), atol=2e-6)
    assert torch.equal(images, kept)
    assert torch.equal(output.mask, Dots()(network.given))


def test_nuclei_have_more_of_the_answer_than_what_is_around_them_and_white_has_none():
    tile = disks(0, 40)
    told = Pretext(Dots())(torch.from_numpy(tile.image).permute(2, 0, 1)[None].float() / 255).extra["hematoxylin"][0, 0]
    inside = torch.from_numpy(tile.instances > 0)
    assert told[inside].mean() > told[~inside].mean() + 0.2
    assert not Pretext(Dots())(torch.ones(1, 3, 16, 16)).extra["hematoxylin"].any()
    black = torch.zeros(1, 3, 16, 16)
    assert Hematoxylin()(black).max() > 1
    assert Pretext(Dots())(black).extra["hematoxylin"].unique().tolist() == [1.0]


def test_about_half_of_the_blocks_are_blanked_and_a_seed_decides_which():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first = holes(40, 160, 160)
        torch.manual_seed(0)
        again, other = holes(40, 160, 160), holes(40, 160, 160)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert float(first.float().mean()) == pytest.approx(0.5, abs=4 * 0.5 / 4000**0.5)
    blocks = first.unfold(2, 16, 16).unfold(3, 16, 16)
    assert torch.equal(blocks.amin((4, 5)), blocks.amax((4, 5)))


def test_no_colour_and_nothing_of_a_hole_gets_through():
    images, blanked = _images(), holes(2, 40, 40)
    blanked[:] = False
    blanked[:, :, :16, 16:32] = True
    other = images.flip(1)  # other colours of the same grey
    torch.testing.assert_close(grey_with_holes(images, blanked), grey_with_holes(other, blanked))
    moved = images.clone()
    moved[:, :, :16, 16:32] = images[:, :, :16, 16:32].flip(2)
    torch.testing.assert_close(grey_with_holes(images, blanked), grey_with_holes(moved, blanked))


def test_gradients_reach_the_network_and_it_takes_any_size_that_the_network_takes():
    wrapped = Pretext(Dots())
    assert wrapped.stride_px == 1
    output = wrapped(base.images(2, 33, 47))
    assert output.mask.shape == output.extra["hematoxylin"].shape == (2, 1, 33, 47)
    assert not output.extra["hematoxylin"].requires_grad
    output.mask.square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in wrapped.parameters())
