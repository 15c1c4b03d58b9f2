import numpy as np
import pytest
import torch
from torch import nn

from histolab_lib.baselines import small_unet
from histolab_lib.inference import as_device, predict, predict_bands, predict_maps, segment
from histolab_lib.outputs import Output
from histolab_lib.patches import resize_image, resize_map
from histolab_lib.recipe import Recipe


def _image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(256, size=(height, width, 3), dtype=np.uint8)


def _literal(network: nn.Module, image: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return torch.sigmoid(network(torch.tensor(image / 255.0).permute(2, 0, 1)[None].float()))[0, 0].numpy()


def _pooling_network() -> nn.Module:
    """Stride 4, and no pixel looks further than 6 pixels."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.AvgPool2d(4), nn.Tanh(), nn.ConvTranspose2d(4, 1, 4, stride=4)
        )
        for parameter in network.parameters():
            nn.init.normal_(parameter)
    return network


def _far_looking(network: nn.Module) -> nn.Module:
    """The network with weights that carry a signal through all layers; those of torch fade."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for parameter in network.parameters():
            if parameter.ndim == 4:
                nn.init.kaiming_normal_(parameter)
    return network


def test_the_whole_image_is_the_sigmoid_of_the_logits():
    network, image = small_unet(width=4).eval(), _image(48, 64)
    probability = predict(network, image)
    assert probability.dtype == np.float32
    np.testing.assert_allclose(probability, _literal(network, image), atol=1e-5)


def test_an_image_that_the_stride_does_not_divide_is_mirrored_and_cut_back():
    network, image = _pooling_network(), _image(41, 62)
    padded = np.pad(image, [(0, 3), (0, 2), (0, 0)], mode="reflect")
    np.testing.assert_allclose(predict(network, image, stride_px=4), _literal(network, padded)[:41, :62], atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (3, 100), (100, 3)])
def test_an_image_smaller_than_the_stride_works(shape: tuple[int, int]):
    network = small_unet(width=4)
    for window_px in (None, 32):
        probability = predict(network, _image(*shape), window_px=window_px, overlap_px=16)
        assert probability.shape == shape
        assert ((probability > 0) & (probability < 1)).all()


@pytest.mark.parametrize("shape", [(128, 128), (150, 131), (64, 200), (65, 64), (40, 300)])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_windows_give_what_the_whole_image_gives_where_the_field_fits(shape: tuple[int, int], batch_size: int):
    network, image = _pooling_network(), _image(*shape)
    whole = predict(network, image, stride_px=4)
    windows = predict(network, image, window_px=64, overlap_px=32, batch_size=batch_size, stride_px=4)
    np.testing.assert_allclose(windows, whole, atol=1e-4)
    assert whole.std() > 0.1  # the comparison would see a shift


def test_a_u_net_by_windows_stays_near_the_whole_image():
    network, image = small_unet(width=4, levels=2).eval(), _image(192, 160)
    windows = predict(network, image, window_px=96, overlap_px=48)
    np.testing.assert_allclose(windows, predict(network, image), atol=1e-4)  # it looks 10 pixels far, 48 / 4 = 12


def test_the_small_u_net_by_the_windows_of_the_command_line_is_the_whole_image():
    network, image = _far_looking(small_unet(width=4)).eval(), _image(1288, 16)
    windows = predict(network, image, window_px=1024, overlap_px=256, batch_size=1)
    whole = predict(network, image)
    np.testing.assert_allclose(windows, whole, atol=1e-4)  # it looks less than 64 pixels far, 256 / 4
    narrow = predict(network, image, window_px=512, overlap_px=64)
    assert np.abs(narrow - whole).max() > 1e-4  # and more than 16: the comparison would see too small an overlap


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((100, 100), [(0, 0), (0, 36), (36, 0), (36, 36)]),  # the corners: 64 + 64 - 28
        ((64, 128), [(0, 0), (0, 36), (0, 64)]),
        ((64, 70), [(0, 0), (0, 6)]),
    ],
)
def test_windows_that_overlap_by_what_the_stride_does_not_divide_end_at_the_border(shape, expected):
    seen = []

    class Places(nn.Module):
        """Answers each pixel's red; red and green tell where a pixel lies."""

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            assert images.shape[2:] == (64, 64)
            seen.extend((images[:, :2, 0, 0] * 255).round().int().tolist())
            return torch.logit(images[:, :1])

    image = np.zeros((*shape, 3), np.uint8)
    image[..., 0], image[..., 1] = np.arange(shape[0])[:, None], np.arange(shape[1])
    found = predict(Places(), image, window_px=64, overlap_px=28, stride_px=32)
    assert sorted(map(tuple, seen)) == expected
    np.testing.assert_allclose(found, image[..., 0] / 255, atol=1e-5)


@pytest.mark.parametrize("shape", [(41, 150), (7, 64), (150, 63)])
def test_sides_smaller_than_such_a_window_are_mirrored_up_to_the_stride(shape):
    network, image = _pooling_network(), _image(*shape)
    sides = [side if side >= 64 else side + -side % 4 for side in shape]
    found = predict(network, image, window_px=64, overlap_px=30, stride_px=4)
    assert found.shape == shape
    padded = np.pad(image, [(0, sides[0] - shape[0]), (0, sides[1] - shape[1]), (0, 0)], mode="reflect")
    corner = tuple(slice(0, min(side, 64)) for side in sides)
    inner = tuple(slice(0, min(side, 40)) for side in shape)  # what the first window alone decides
    np.testing.assert_allclose(found[inner], _literal(network, padded[corner])[inner], atol=1e-5)


def test_blending_has_no_seams_where_windows_disagree():
    class FirstPixel(nn.Module):
        """Every window answers with its own first pixel everywhere."""

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return (images[:, :1, :1, :1] * 8 - 4).expand(-1, 1, *images.shape[2:])

    image = np.zeros((64, 256, 3), np.uint8)
    image[:, 128:] = 255
    row = predict(FirstPixel(), image, window_px=128, overlap_px=64, stride_px=1)[0]
    steps = np.abs(np.diff(row))
    assert row.min() < 0.05
    assert row.max() > 0.95
    assert steps.max() < 0.05  # a hard edge would be 0.96


def test_the_mode_and_the_gradients_of_the_network_are_left_as_they_were():
    network = small_unet(width=4)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    predict(network, _image(32, 32))
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in network.parameters())


def test_two_predictions_are_equal_and_the_image_is_left_alone():
    network, image = small_unet(width=4), _image(40, 40)
    before = image.copy()
    np.testing.assert_array_equal(predict(network, image), predict(network, image))
    np.testing.assert_array_equal(image, before)


# ---- maps of networks with several outputs


class TwoMaps(nn.Module):
    """The mask follows red, the contour green; a side output is half as large and a map has three channels."""

    stride_px = 2

    def forward(self, images: torch.Tensor) -> Output:
        red, green = images[:, :1] * 8 - 4, images[:, 1:2] * 8 - 4
        two_classes = torch.cat([-green / 2, green / 2], dim=1)
        return Output(red, {"contour": two_classes, "side": red[..., ::2, ::2], "many": images})


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def test_every_map_of_full_size_comes_as_a_probability_by_its_name():
    image = _image(30, 22)
    for options in ({}, {"window_px": 16, "overlap_px": 8}):
        maps = predict_maps(TwoMaps(), image, **options)
        assert list(maps) == ["mask", "contour"]
        for channel, values in enumerate(maps.values()):
            assert (values.dtype, values.shape) == (np.float32, (30, 22))
            np.testing.assert_allclose(values, _sigmoid(image[..., channel] / 255 * 8.0 - 4), atol=1e-5)


def test_only_the_maps_that_are_asked_for_are_made():
    assert list(predict_maps(TwoMaps(), _image(8, 8), maps=["contour"])) == ["contour"]
    assert predict(TwoMaps(), _image(8, 8)).shape == (8, 8)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("edge", "the network gives no map 'edge'; it gives mask, contour, side, many"),
        ("side", r"map 'side' is \(1, 1, 4, 4\), no probability of every pixel of 8x8"),
        ("many", r"map 'many' is \(1, 3, 8, 8\), no probability"),
    ],
)
def test_a_map_that_is_not_there_or_no_probability_is_an_error(name: str, message: str):
    with pytest.raises(ValueError, match=message):
        predict_maps(TwoMaps(), _image(8, 8), maps=[name])


def test_a_network_that_returns_something_else_is_an_error():
    class Tuple(nn.Module):
        def forward(self, images):
            return images, images

    with pytest.raises(TypeError, match="a network must return a tensor or an Output, got tuple"):
        predict(Tuple(), _image(8, 8), stride_px=1)


# ---- symmetries and half precision


class LeftNeighbour(nn.Module):
    """Answers with the red of the pixel to the left: as far from symmetric as can be."""

    stride_px = 2

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images[:, :1].roll(1, dims=3) * 8 - 4


@pytest.mark.parametrize("options", [{}, {"window_px": 16, "overlap_px": 8}])
def test_symmetries_are_the_mean_of_eight_predictions_turned_back(options: dict[str, int]):
    image = _image(24, 24)
    eight = []
    for flip in (False, True):
        for turns in range(4):
            seen = np.rot90(image[:, ::-1] if flip else image, turns)
            back = np.rot90(predict(LeftNeighbour(), np.ascontiguousarray(seen)), -turns)
            eight.append(back[:, ::-1] if flip else back)
    found = predict(LeftNeighbour(), image, symmetries=True, **options)
    inner = (slice(1, -1),) * 2  # what wraps around inside a window weighs nothing, but at the image's border
    np.testing.assert_allclose(found[inner], np.mean(eight, axis=0)[inner], atol=1e-6)
    assert np.abs(found - predict(LeftNeighbour(), image))[inner].max() > 0.1


def test_symmetries_turn_with_an_image_that_is_not_square_and_the_mask_turns_with_the_image():
    network, image = small_unet(width=4, levels=2), _image(24, 40)
    found = predict(network, image, symmetries=True)
    turned = predict(network, np.ascontiguousarray(np.rot90(image)), symmetries=True)
    np.testing.assert_allclose(np.rot90(found), turned, atol=1e-5)
    assert np.abs(np.rot90(predict(network, image)) - predict(network, np.rot90(image).copy())).max() > 1e-3


def test_half_precision_is_near_and_not_equal_and_still_float32():
    network, image = small_unet(width=8), _image(64, 64)
    half = predict(network, image, precision="bfloat16")
    full = predict(network, image)
    assert half.dtype == np.float32
    assert 1e-5 < np.abs(half - full).max() < 0.03
    with pytest.raises(ValueError, match="precision must be one of 'float32', 'bfloat16', got 'half'"):
        predict(network, image, precision="half")


# ---- memory


class Hungry(nn.Module):
    """Runs out of memory on more than `most` images, and remembers what it was given."""

    stride_px = 1

    def __init__(self, most: int, error: RuntimeError) -> None:
        super().__init__()
        self.most, self.error, self.seen = most, error, []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(images))
        if len(images) > self.most:
            raise self.error
        return images[:, :1] * 8 - 4


_OUT = (torch.OutOfMemoryError("no memory"), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))


@pytest.mark.parametrize("error", _OUT)
def test_the_batch_is_halved_for_good_where_memory_runs_out(error: RuntimeError):
    image, network = _image(24, 40), Hungry(2, error)
    options = {"window_px": 8, "overlap_px": 0}
    found = predict(network, image, batch_size=5, **options)
    assert network.seen == [5, 2, 2, 1] + [2, 2, 1] * 2  # five windows in a row of windows, three rows
    np.testing.assert_array_equal(found, predict(Hungry(9, error), image, **options))


def test_one_image_that_does_not_fit_is_an_error_that_says_what_to_do():
    network = Hungry(0, _OUT[0])
    with pytest.raises(MemoryError, match="cpu: memory does not suffice for one image of 24x40 pixels; pass a"):
        predict(network, _image(24, 40))
    assert network.training  # its mode is restored all the same
    with pytest.raises(RuntimeError, match="something else"):
        predict(Hungry(0, RuntimeError("something else")), _image(8, 8))


def test_a_map_of_a_file_is_read_window_by_window_and_given_band_by_band(tmp_path):
    pixels, network = _image(203, 61), small_unet(width=4, levels=2).eval()
    path = tmp_path / "image.raw"
    pixels.tofile(path)
    read = []

    class Watched(np.memmap):
        def __getitem__(self, index):
            found = super().__getitem__(index)
            read.append(np.shape(found)[0])
            return found

    image = np.memmap(path, np.uint8, "r", shape=pixels.shape).view(Watched)
    found = np.full(pixels.shape[:2], np.nan, np.float32)
    ends = [0]
    for rows, band in predict_bands(network, image, window_px=32, overlap_px=8):
        assert rows.start == ends[-1]
        ends.append(rows.stop)
        found[rows] = band["mask"]
    assert ends[-1] == 203
    assert np.diff(ends).max() <= 32
    assert max(read) <= 32
    np.testing.assert_array_equal(found, predict(network, pixels, window_px=32, overlap_px=8))


def test_bands_leave_the_mode_of_the_network_as_it_was_even_when_they_are_not_used_up():
    network = small_unet(width=4, levels=2)
    bands = predict_bands(network, _image(64, 64), window_px=16, overlap_px=4)
    next(bands)
    bands.close()
    assert network.training


# ---- as a recipe says


def _recipe(**values: object) -> Recipe:
    settings: dict[str, object] = {
        "weights": "none",
        "patches": "random",
        "crop_px": 64,
        "batch_size": 4,
        "augment": "none",
        "loss": "bce_dice",
        "optimiser": "adamw",
        "lr": 1e-3,
        "weight_decay": 0.0,
        "lr_schedule": "cosine",
        "steps": 1,
        "selection": "last",
        "validation": {"share": 0.2},
        "postprocess": "components",
        "thresholds": {"mask": 0.5},
        **values,
    }
    return Recipe.sourced("small_unet", "clean", **{name: (value, "ours: a test") for name, value in settings.items()})


def test_a_recipe_takes_an_image_to_objects():
    image = np.zeros((32, 32, 3), np.uint8)
    image[4:12, 4:12, 0] = image[4:12, 12:20, 0] = image[20:30, 20:30, 0] = 255
    image[4:12, 11:13, 1] = 255
    assert segment(TwoMaps(), image, _recipe()).max() == 2
    contours = _recipe(
        postprocess="contour_watershed",
        postprocess_options={"opening_px": 0},
        thresholds={"mask": 0.5, "contour": 0.45},
        window_px=16,
        overlap_px=4,
        tta=True,
    )
    instances = segment(TwoMaps(), image, contours)
    assert instances.dtype == np.int32
    assert [int(np.count_nonzero(instances == label)) for label in (1, 2, 3)] == [64, 64, 100]
    np.testing.assert_array_equal(segment(TwoMaps(), image, contours, window_px=None, batch_size=1), instances)


class Wide(nn.Module):
    """Red, and the sizes that it was shown."""

    stride_px = 8

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, int]] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append((images.shape[2], images.shape[3]))
        return images[:, :1] * 20 - 10


def test_an_image_of_any_size_is_seen_at_the_size_of_the_recipe_and_objects_land_where_they_were():
    image = np.zeros((45, 70, 3), np.uint8)
    image[5:20, 8:30] = image[28:40, 45:62] = 255
    network, recipe = Wide(), _recipe(resize_px=(64, 96))
    found = segment(network, image, recipe)
    assert network.seen == [(64, 96)]
    assert (found.shape, found.dtype, found.max()) == ((45, 70), np.int32, 2)
    for label, (rows, columns) in {1: ((5, 20), (8, 30)), 2: ((28, 40), (45, 62))}.items():
        row, column = np.nonzero(found == label)
        borders = row.min(), row.max() + 1, column.min(), column.max() + 1
        np.testing.assert_allclose(borders, [*rows, *columns], atol=1)
    segment(network, image, recipe, resize_px=None)
    segment(network, image, recipe, window_px=32, overlap_px=16, batch_size=1)
    assert network.seen[1] == (48, 72)  # mirrored up to the stride
    assert set(network.seen[2:]) == {(32, 32)}
    wide = segment(network, image, recipe, window_px=1024, overlap_px=256)  # as the command line asks for
    assert network.seen[-1] == (64, 96)
    np.testing.assert_array_equal(wide, found)


def test_resized_maps_stay_probabilities_and_are_those_of_the_resized_image():
    network, image = _pooling_network(), _image(41, 62)
    maps = predict_maps(network, image, resize_px=(48, 80), stride_px=4)
    seen = predict(network, resize_image(image, (48, 80)), stride_px=4)
    np.testing.assert_array_equal(maps["mask"], resize_map(seen, (41, 62)))
    np.testing.assert_array_equal(maps["mask"], predict(network, image, resize_px=(48, 80), stride_px=4))
    assert 0 <= maps["mask"].min() <= maps["mask"].max() <= 1
    np.testing.assert_array_equal(
        predict(network, image, resize_px=(41, 62), stride_px=4), predict(network, image, stride_px=4)
    )
    with pytest.raises(ValueError, match="image must be 8-bit RGB"):
        predict(network, image[..., 0], resize_px=(48, 80), stride_px=4)


def test_a_device_is_found_by_its_name():
    assert as_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("image", [np.zeros((8, 8)), np.zeros((8, 8, 4), np.uint8), np.zeros((0, 8, 3), np.uint8)])
def test_what_is_no_8_bit_rgb_is_an_error(image: np.ndarray):
    with pytest.raises(ValueError, match=r"image must be 8-bit RGB, uint8 \(H, W, 3\), got (float64|uint8) \("):
        predict(small_unet(width=4), image)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window_px": 60, "overlap_px": 16}, "window_px must be divisible by .* 8 pixels, got 60; the next is 64"),
        ({"window_px": 64, "overlap_px": 40}, "overlap_px must be between 0 and half of window_px = 64, got 40"),
        ({"window_px": 0, "overlap_px": 0}, "window_px must be divisible .* got 0; the next is 8"),
        ({"window_px": 64, "overlap_px": 16, "batch_size": 0}, "batch_size must be at least 1 window, got 0"),
    ],
)
def test_windows_that_do_not_fit_together_are_errors(options: dict[str, int], message: str):
    with pytest.raises(ValueError, match=message):
        predict(small_unet(width=4), _image(64, 64), **options)


def test_a_network_that_does_not_tell_its_stride_is_an_error():
    with pytest.raises(ValueError, match=r"Conv2d has no stride_px; pass stride_px="):
        predict(nn.Conv2d(3, 1, 1), _image(8, 8))


def test_a_device_that_is_not_there_is_an_error_that_lists_those_that_are():
    with pytest.raises(ValueError, match=r"unknown device 'tpu': this machine has cpu"):
        predict(nn.Conv2d(3, 1, 1), np.zeros((4, 4, 3), np.uint8), stride_px=1, device="tpu")
