"""PyTorch's autograd as a second opinion on our pullbacks, where PyTorch is installed."""

import numpy as np
import pytest

from drlim_np.layers import Tanh

pytest.importorskip("torch", reason="PyTorch is not installed: no second opinion on gradients")

from tests.help import autograd as second_opinion
from tests.help.every_layer import Forgetful


def test_autograd_agrees_with_every_pullback_to_rounding():
    found = list(second_opinion.opinions())
    assert len(found) > 50
    assert [opinion for opinion in found if not opinion.error <= second_opinion.BOUND] == []
    assert {"Conv2d", "all pairs, Eq. 2", "Siamese convnet, Fig. 3, two towers"} <= {o.subject for o in found}


def test_autograd_differentiates_what_it_is_given_and_not_our_pullback():
    x = np.array([0.5, -1.0])
    np.testing.assert_allclose(second_opinion.gradient_of(lambda x: (x * x * x).sum(), x), 3 * x**2, rtol=1e-15)


def test_a_wrong_pullback_is_told_apart():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 3))
    (right,) = second_opinion.of_layer("right", Tanh(), {}, x, rng)
    (wrong,) = second_opinion.of_layer("wrong", Forgetful(), {}, x, rng)
    assert right.error <= second_opinion.BOUND < 1e-3 < wrong.error
