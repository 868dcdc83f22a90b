"""The pullbacks against automatic differentiation by JAX and PyTorch, where these are installed."""

import numpy as np
import pytest

from drlim_np.audit import autodiff, catalogue, proof
from drlim_np.layers import Tanh
from drlim_np.loss import contrastive, dissimilar_loss
from drlim_np.networks import two_layer
from drlim_np.tree import leaves
from tests.help.comparing import BOUND, assert_close
from tests.help.every_layer import EVERY_LAYER

if not autodiff.libraries():
    pytest.skip("neither JAX nor PyTorch with array-api-compat is installed", allow_module_level=True)

by_each = pytest.mark.parametrize("library", autodiff.libraries())
FORMS = ("two towers", "embed once", "every pair", "sampled pairs", "sampled copies")


@by_each
def test_every_layer_network_and_form_of_the_objective_is_held_to_the_library(library):
    found = list(autodiff.proofs(library))
    names = [name for name, *_ in catalogue.NETWORKS]
    forms = [f"{form}, {name}" for name in names for form in FORMS]
    layers = [type(layer).__name__ for layer, _ in catalogue.LAYERS]
    assert [one.name for one in found] == [*layers, *names, "contrastive", *forms]
    assert [one for one in found if not one.holds] == []
    assert f" {len(found)} held to automatic differentiation, " in proof.summary(found)


@by_each
@pytest.mark.parametrize("name", EVERY_LAYER)
def test_every_other_shape_of_a_layer(library, name, rng):
    assert autodiff.error(library, *autodiff.of_layer(*EVERY_LAYER[name], rng)) <= BOUND


@by_each
def test_the_library_differentiates_what_it_is_given(library):
    x = {"a": np.array([0.5, -1.0]), "b": {"c": np.array([2.0])}}
    found = autodiff.gradient(library, lambda x: (x["a"] ** 3).sum() + 4 * x["b"]["c"].sum(), x)
    assert_close(found, {"a": 3 * x["a"] ** 2, "b": {"c": np.array([4.0])}})
    assert {leaf.dtype for _, leaf in leaves(found)} == {np.dtype(np.float64)}


class Forgetful(Tanh):
    """Its pullback is wrong: it forgets the square, dy (1 - y)."""

    def __call__(self, params, x):
        y, pullback = super().__call__(params, x)
        return y, lambda dy, wrt_input=False: pullback(dy, wrt_input)._replace(input=dy * (1 - y))


@by_each
def test_a_wrong_pullback_is_told_apart(library, rng):
    right, wrong = (autodiff.error(library, *autodiff.of_layer(layer, (4, 3), rng)) for layer in (Tanh(), Forgetful()))
    assert right <= BOUND < 1e-3 < wrong


@by_each
def test_every_form_of_the_objective_is_held_to_the_loss_that_it_should_have(library, monkeypatch):
    monkeypatch.setattr(autodiff, "dissimilar_loss", lambda d, margin: 2 * dissimilar_loss(d, margin))
    found = autodiff.proofs(library, layers=[], networks=[("small", two_layer(5, 4, 2), (5,))])
    assert {one.name for one in found if not one.holds} == {f"{form}, small" for form in FORMS}


@by_each
@pytest.mark.parametrize("y", [0, 1])
def test_at_distance_0_the_library_gives_nan_where_ours_is_0(library, y):
    z = np.array([[0.5, -0.25]])
    ends = {0: z, 1: z.copy()}
    assert (np.stack(contrastive(*ends.values(), [y], 1.0)[1:]) == 0).all()
    theirs = autodiff.gradient(library, lambda ends: contrastive(ends[0], ends[1], [y], 1.0)[0], ends)
    assert np.isnan(theirs[0]).all() and np.isnan(theirs[1]).all()
