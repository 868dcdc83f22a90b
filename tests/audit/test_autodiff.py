"""The pullbacks against JAX's automatic differentiation, where JAX is installed, and what it cannot do at D = 0."""

import numpy as np
import pytest

from drlim_np.audit import autodiff, catalogue, proof
from drlim_np.audit.catalogue import MARGIN
from drlim_np.layers import Tanh
from drlim_np.loss import contrastive, dissimilar_loss
from drlim_np.networks import two_layer
from tests.help.comparing import BOUND
from tests.help.every_layer import EVERY_LAYER

jax = pytest.importorskip("jax", reason="JAX is not installed: no automatic differentiation of the forward code")


FORMS = {"two towers", "embed once", "every pair", "sampled pairs", "sampled copies"}


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def test_the_audit_holds_every_layer_network_and_objective_to_jax():
    found = [one for one in catalogue.proofs() if one.kind == "autodiff"]
    assert [one for one in found if not one.holds] == []
    assert {one.name for one in found} == {type(layer).__name__ for layer, _ in catalogue.LAYERS} | {
        *(name for name, *_ in catalogue.NETWORKS),
        "contrastive",
        *FORMS,
    }
    assert f" {len(found)} gradients held to jax.grad, " in proof.summary(found)


@pytest.mark.parametrize("name", EVERY_LAYER)
def test_every_other_shape_of_a_layer(name, rng):
    assert autodiff.of_layer(*EVERY_LAYER[name], rng) <= BOUND


def test_a_wrong_pullback_is_told_apart(rng):
    class Forgetful(Tanh):
        def __call__(self, params, x):
            y, pullback = super().__call__(params, x)
            return y, lambda dy, wrt_input=False: pullback(dy, wrt_input)._replace(input=dy * (1 - y))

    assert autodiff.of_layer(Tanh(), (4, 3), rng) <= BOUND < 1e-3 < autodiff.of_layer(Forgetful(), (4, 3), rng)


def test_every_form_of_the_objective_is_held_to_the_loss_it_should_have(rng, monkeypatch):
    monkeypatch.setattr(autodiff, "dissimilar_loss", lambda d, margin: margin**2 / 2 * dissimilar_loss(d, margin))
    found = autodiff.proofs([], [("small", two_layer(5, 4, 2), (5,))], catalogue.small_graph(6), rng)
    assert {proof.name for proof in found if not proof.holds} == FORMS


def test_at_distance_0_jax_gives_nan_where_ours_is_0():
    z = np.array([[0.5, -0.25]])
    for y in (0, 1):
        _, dz1, _ = contrastive(z, z, [y], MARGIN)
        theirs = jax.grad(lambda z1, y=y: contrastive(z1, jax.numpy.asarray(z), [y], MARGIN)[0])(z)
        assert (dz1 == 0).all() and np.isnan(theirs).all()
