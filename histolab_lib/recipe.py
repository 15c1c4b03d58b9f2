"""How a network is trained, as data: every setting that decides numbers, and for each where it comes from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, TypeAlias

__all__ = ["LR_SCHEDULES", "OPTIMISERS", "READINGS", "SELECTIONS", "VALIDATION_METRICS", "WEIGHTS", "Recipe"]

Value: TypeAlias = "str | int | float | bool | tuple[Value, ...] | None"
Options: TypeAlias = Mapping[str, Value]

#: A paper's text, the code that its authors released, or the protocol that treats all networks alike.
READINGS = ("paper", "code", "clean")
OPTIMISERS = ("adam", "adamw", "rmsprop", "sgd")
LR_SCHEDULES = ("constant", "cosine", "plateau", "poly", "step")
SELECTIONS = ("last", "best_validation")
VALIDATION_METRICS = ("dice", "aji", "object_dice", "loss")
#: What an encoder starts from. The last two are made here, where the files of ImageNet are not to be had: by training
#: on synthetic tissue, or on the training tiles without their labels (`histolab_lib.training.pretraining`).
WEIGHTS = ("none", "imagenet", "synthetic", "self_supervised")

_ALLOWED = {
    "reading": READINGS,
    "optimiser": OPTIMISERS,
    "lr_schedule": LR_SCHEDULES,
    "selection": SELECTIONS,
    "weights": WEIGHTS,
}
_COUNTS = ("crop_px", "batch_size", "epochs", "steps", "patience", "window_px")
_SHARES = ("warmup", "averaged_weights")
_NAMES = ("key", "reading", "variant", "sources")  # what needs no source


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way of training one network, whatever it is trained on.

    What has no default must be said, because papers differ in it. What has one adds something that most recipes do
    not have, and is neutral; so a field can join later without changing the `digest` of recipes that do not use it.

    Attributes
    ----------
    key : str
        The network, as ``papers.build`` knows it.
    reading : {"paper", "code", "clean"}
        Whose settings these are; see `READINGS`.
    variant : str
        ``"base"``, or what differs from it: names joined by two underscores. No hyphen.
    network : mapping
        Options of ``papers.build``.
    weights : {"none", "imagenet", "synthetic", "self_supervised"}
        What the encoder starts from; see `WEIGHTS`.
    patches : str
        ``"random"``: crops anywhere; else a scheme of `histolab_lib.patches`, each of whose patches is seen once in
        an epoch.
    crop_px, batch_size : int
        Side of a crop in pixels, crops in a batch.
    augment : str
        One of `histolab_lib.augment.RECIPES`.
    loss : str
        One of `histolab_lib.losses.names`, with `loss_options`.
    optimiser : {"adam", "adamw", "rmsprop", "sgd"}
        With `optimiser_options` such as ``eps``, as torch calls them.
    lr : float
        Learning rate at its highest; the encoder's is `encoder_lr_factor` times it.
    weight_decay, momentum : float
        Of the optimiser; adam and adamw take no momentum.
    lr_schedule : {"constant", "cosine", "plateau", "poly", "step"}
        With `lr_schedule_options`; see ``histolab_lib.training.learning_rate``.
    warmup : float
        Share of all steps over which the learning rate rises from 0.
    epochs, steps : int or None
        How long; exactly one of the two.
    patience : int or None
        Stop after so many epochs (or steps, where the length is in steps) without a better validation score.
    clip_norm : float or None
        Largest norm of the gradient.
    averaged_weights : float or None
        Decay of the running average of the weights, which is then used in their place.
    selection : {"last", "best_validation"}
        Which step's weights are used.
    validation : mapping
        ``share`` of the tiles, ``by`` what they are kept apart (`datasets.validation_split`), and ``metric``:
        ``"dice"``, ``"aji"``, ``"object_dice"`` (higher is better) or ``"loss"`` (lower is). In place of a share,
        ``on`` ``"test"``: the test tiles, an exhibit.
    postprocess : str
        From maps to objects, by name, with `postprocess_options`.
    thresholds : mapping of str to float or str
        For each map what is above it; ``"otsu"``: chosen on each image.
    resize_px : (int, int) or None
        Height and width to which every image is brought before the network sees it, in training and in use; maps are
        brought back to the image's own size before they are thresholded. None: images as they are.
    window_px, overlap_px : int or None
        Inference by overlapping windows; None: whole tiles.
    tta : bool
        Inference averaged over eight flips and turns.
    sources : mapping of str to str
        For each of the fields above but key, reading and variant: the place in the paper, the released code, or
        "ours:" and the reason. Must be complete for what has no default and for what differs from it.

    Examples
    --------
    `Recipe.sourced` takes each value together with its source:

    >>> recipe = _demo()
    >>> recipe.lr, recipe.sources["lr"]
    (0.001, 'ours: an example')
    >>> faster = recipe.vary("fast", "ours: twice as fast", lr=2e-3)
    >>> faster.variant, faster.sources["lr"], faster.digest() == recipe.digest()
    ('fast', 'ours: twice as fast', False)
    >>> Recipe.from_json(recipe.to_json()) == recipe
    True
    """

    key: str
    reading: str
    variant: str = "base"
    network: Options = field(default_factory=dict)
    weights: str
    patches: str
    crop_px: int
    batch_size: int
    augment: str
    loss: str
    loss_options: Options = field(default_factory=dict)
    optimiser: str
    optimiser_options: Options = field(default_factory=dict)
    lr: float
    encoder_lr_factor: float = 1.0
    weight_decay: float
    momentum: float = 0.0
    lr_schedule: str
    lr_schedule_options: Options = field(default_factory=dict)
    warmup: float = 0.0
    epochs: int | None = None
    steps: int | None = None
    patience: int | None = None
    clip_norm: float | None = None
    averaged_weights: float | None = None
    selection: str
    validation: Options
    postprocess: str
    postprocess_options: Options = field(default_factory=dict)
    thresholds: Options
    resize_px: tuple[int, int] | None = None
    window_px: int | None = None
    overlap_px: int | None = None
    tta: bool = False
    sources: Mapping[str, str] = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in (one.name for one in fields(self)):
            value = getattr(self, name)
            if isinstance(value, Mapping):
                frozen = MappingProxyType({key: _frozen(one) for key, one in value.items()})
                object.__setattr__(self, name, frozen)
        _check(self)

    def __hash__(self) -> int:
        return hash((self.key, self.reading, self.variant, self.digest()))

    def __reduce__(self) -> tuple[Any, ...]:  # mapping proxies cannot be pickled, and processes are sent recipes
        return Recipe.from_json, (self.to_json(),)

    @property
    def name(self) -> str:
        """Key, reading and variant, as in the name of a record."""
        return f"{self.key}/{self.variant}-{self.reading}"

    @classmethod
    def sourced(cls, key: str, reading: str, variant: str = "base", **values: tuple[Any, str]) -> "Recipe":
        """Make a recipe of pairs: ``lr=(1e-3, "section 4.3")``."""
        sources = {name: source for name, (_, source) in values.items()}
        settings = {name: value for name, (value, _) in values.items()}
        return cls(key=key, reading=reading, variant=variant, sources=sources, **_known(settings))

    def vary(self, variant: str, source: str, **values: Any) -> "Recipe":
        """Return a copy with other values, all for one reason; `variant` is joined to the name that it has."""
        joined = variant if self.variant == "base" else f"{self.variant}__{variant}"
        sources = {**self.sources, **dict.fromkeys(values, source)}
        return replace(self, variant=joined, sources=sources, **_known(values))

    def settings(self) -> dict[str, Any]:
        """Return all fields as what JSON knows: lists for tuples, dicts for mappings; sources last."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}

    def digest(self) -> str:
        """Return 16 hex digits that change when a setting changes, and only then.

        Sources do not count, nor does the name of the variant, nor a field at its default. What a recipe names
        (an augmentation, a loss) counts by its name.
        """
        ignored = {one.name for one in fields(self) if _at_default(self, one)}
        kept = {k: v for k, v in self.settings().items() if k not in ignored | {"sources", "variant"}}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Return the recipe as JSON text, sources included."""
        return json.dumps(self.settings(), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            If the text is no recipe; the message names the field.
        """
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError(f"a recipe is a JSON object, got {type(values).__name__}")
        needed = [one.name for one in fields(cls) if _default(one) is MISSING]
        if missing := [name for name in needed if name not in values]:
            raise ValueError(f"a recipe needs {', '.join(missing)}")
        return cls(**_known({name: _frozen(value) for name, value in values.items()}))


def _known(values: dict[str, Any]) -> dict[str, Any]:
    names = [one.name for one in fields(Recipe)]
    for name in values:
        if name not in names:
            near = get_close_matches(name, names, 1)
            hint = f", did you mean {near[0]!r}?" if near else "."
            raise ValueError(f"a recipe has no field {name!r}{hint} There are {', '.join(names)}")
    return values


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _frozen(one) for key, one in value.items()}
    return tuple(_frozen(one) for one in value) if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _default(one: Field[Any]) -> Any:
    """The neutral value of a field; `MISSING` where it must be said."""
    return one.default if one.default_factory is MISSING else one.default_factory()


def _at_default(recipe: Recipe, one: Field[Any]) -> bool:
    return bool(getattr(recipe, one.name) == _default(one))


def _check(recipe: Recipe) -> None:
    label = f"recipe {recipe.name}"
    for name, allowed in _ALLOWED.items():
        if getattr(recipe, name) not in allowed:
            raise ValueError(f"{label}: {name} must be one of {', '.join(allowed)}, got {getattr(recipe, name)!r}")
    if (recipe.epochs is None) == (recipe.steps is None):
        raise ValueError(f"{label}: say epochs or steps, one of the two; got {recipe.epochs} and {recipe.steps}")
    if "-" in recipe.variant or not recipe.variant:
        raise ValueError(f"{label}: variant must be words joined by underscores, got {recipe.variant!r}")
    _check_numbers(recipe, label)
    said = set(recipe.sources)
    needed = {one.name for one in fields(Recipe) if one.name not in _NAMES and not _at_default(recipe, one)}
    if missing := sorted(needed - said):
        raise ValueError(f"{label}: sources must say where {', '.join(missing)} come from")
    if unknown := sorted(said - {one.name for one in fields(Recipe)}):
        raise ValueError(f"{label}: sources name {', '.join(unknown)}, which are no fields")


def _check_numbers(recipe: Recipe, label: str) -> None:
    for name in _COUNTS:
        value = getattr(recipe, name)
        if value is not None and not (isinstance(value, int) and value >= 1):
            raise ValueError(f"{label}: {name} must be a whole number of at least 1, got {value!r}")
    size: Any = recipe.resize_px
    sides = size if isinstance(size, tuple) else ()
    if size is not None and not (len(sides) == 2 and all(isinstance(side, int) and side >= 1 for side in sides)):
        raise ValueError(f"{label}: resize_px must be height and width, whole numbers of at least 1, got {size!r}")
    for name in _SHARES:
        value = getattr(recipe, name)
        if value is not None and not 0 <= value < 1:
            raise ValueError(f"{label}: {name} must be at least 0 and below 1, got {value!r}")
    if not recipe.lr > 0 or not recipe.encoder_lr_factor >= 0:
        raise ValueError(f"{label}: lr must be above 0 and encoder_lr_factor at least 0")
    if recipe.weight_decay < 0 or recipe.momentum < 0 or (recipe.clip_norm is not None and not recipe.clip_norm > 0):
        raise ValueError(f"{label}: weight_decay and momentum must be at least 0, clip_norm above 0")
    metric = recipe.validation.get("metric", "dice")
    if metric not in VALIDATION_METRICS:
        raise ValueError(f"{label}: validation metric must be one of {', '.join(VALIDATION_METRICS)}, got {metric!r}")
    if recipe.selection == "best_validation" and not (recipe.validation.get("share") or recipe.validation.get("on")):
        raise ValueError(f"{label}: selection 'best_validation' needs a validation share")
    if recipe.validation.get("on", "test") != "test":
        raise ValueError(f"{label}: validation on must be 'test', got {recipe.validation['on']!r}")


def _demo() -> Recipe:
    """A recipe for examples."""
    why = "ours: an example"
    values: dict[str, Any] = {
        "weights": "none", "patches": "random", "crop_px": 64, "batch_size": 4, "augment": "small_unet",
        "loss": "bce_dice", "loss_options": {"smooth": 1.0}, "optimiser": "adamw", "lr": 1e-3, "weight_decay": 1e-4,
        "lr_schedule": "cosine", "steps": 100, "selection": "last", "validation": {"share": 0.2, "metric": "dice"},
        "postprocess": "components", "thresholds": {"mask": 0.5},
    }  # fmt: skip
    pairs: dict[str, Any] = {name: (value, why) for name, value in values.items()}
    return Recipe.sourced("small_unet", "clean", **pairs)
