"""The rows of LLE in the table of the airplane: scikit-learn's LLE on the same graph gives them too."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.manifold._locally_linear import barycenter_weights, null_space

from drlim_np.data import rendering
from drlim_np.figures import Train, figure9
from drlim_np.figures.airplane_map import setting
from drlim_np.measure.cylinder import fit_views, organisation

CELLS = ("elevation_r2", "azimuth_resultant", "share_of_lighting", "similar_neighbours", "same_lighting_neighbours")


@pytest.fixture(scope="module")
def given():
    """In coordinates instead of pixels, which changes no difference of two views and takes a fourth of the time."""
    found = setting(rendering.generate(), Train(seed=0))
    return replace(found, inputs=found.x)


def by_scikit_learn(given, regularisation):
    """Its weights and its eigenvectors; in between the graph, of which its own function takes only k of each sample."""
    x, neighbours = given.inputs[given.train].astype(float), figure9.neighbour_lists(given.similar)
    left = np.eye(len(x))
    for i, near in enumerate(neighbours):
        left[i, near] -= barycenter_weights(x[[i]], x[near], np.arange(len(near))[None], regularisation)[0]
    z, _ = null_space(left.T @ left, 3, k_skip=1, eigen_solver="dense")
    return organisation(z, fit_views(z, given.views, given.train), given.views, given.train)


@pytest.mark.parametrize("regularisation", [figure9.NONE, *figure9.OTHERS])
def test_scikit_learn_gives_every_cell_to_three_decimals(given, regularisation):
    _, ours = figure9._map(given, regularisation, Train(seed=0))
    theirs = by_scikit_learn(given, regularisation)
    for cell in (*CELLS, "second_loop"):
        assert theirs[cell] == pytest.approx(ours[cell], abs=1e-5)
        assert f"{theirs[cell]:.3f}" == f"{ours[cell]:.3f}"
    if 1e-3 <= regularisation <= 1e-2:  # a clean ring, neither the lighting nor a cylinder
        assert ours["elevation_r2"] <= 0.018 and ours["second_loop"] <= 0.028
        assert ours["share_of_lighting"] <= 0.006 and ours["same_lighting_neighbours"] > 1 / 4
