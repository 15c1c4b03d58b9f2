"""Interactive figures: the page looks up what the chapter computed, or a small script of its own computes there."""

from histolab_lib.demos.figures import DEMO_MIME, KINDS, SCRIPTS, Calculator, Demo, Slider

__all__ = ["DEMO_MIME", "KINDS", "SCRIPTS", "Calculator", "Demo", "Slider"]
