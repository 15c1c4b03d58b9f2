"""The rule focal-loss-as-cross-entropy."""

import numpy as np

from histolab_lib.audit.rules.formulas import focal_loss_as_cross_entropy
from tests.audit_claims import said, severities


def test_cross_entropy_is_at_gamma_zero():
    row = {"dataset": "none", "split": "none"}
    assert severities(focal_loss_as_cross_entropy, [said("focal_gamma", 0, "Focal Loss as BCE", **row)]) == ["fine"]
    (found,) = focal_loss_as_cross_entropy([said("focal_gamma", 1, "Focal Loss as cross entropy", **row)])
    assert (found.severity, "a factor (1 - p)^1 is left" in found.explanation) == ("inconsistent", True)


def test_an_exponent_that_is_used_is_no_statement_about_cross_entropy():
    assert severities(focal_loss_as_cross_entropy, [said("focal_gamma", "2.0", "Focal Loss")]) == []


def test_consistent_exponents_are_never_accused():
    """Whatever makes the focal loss a multiple of cross entropy, at many probabilities, is fine."""
    p = np.linspace(0.01, 0.99, 50)
    for gamma in ("0", "0.0", "0.5", "1", "2", "5.0"):
        quotient = (1 - p) ** float(gamma)
        multiple = np.allclose(quotient, quotient[0])
        (severity,) = severities(focal_loss_as_cross_entropy, [said("focal_gamma", gamma, "as cross-entropy")])
        assert (severity == "fine") == multiple
