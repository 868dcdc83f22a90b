"""Locally linear embedding against scikit-learn, and against what Roweis and Saul's equations say."""

import numpy as np
import pytest
from sklearn.manifold import locally_linear_embedding

from drlim_np.fast.knn import nearest_neighbours
from drlim_np.measure.lle import BLOCK, Factor, closed_groups, lle, reconstruction_weights
from drlim_np.measure.metrics import pca
from tests.help.refusals import refuses


@pytest.mark.line("lle")
@pytest.mark.parametrize(
    ("samples", "features", "k", "dims", "reg"), [(150, 2, 5, 1, 1e-3), (600, 3, 6, 2, 1e-3), (150, 10, 8, 3, 1e-6)]
)
def test_the_map_is_scikit_learns_up_to_rotation_and_sign(rng, samples, features, k, dims, reg):
    x = rng.standard_normal((samples, features))
    theirs, _ = locally_linear_embedding(x, n_neighbors=k, n_components=dims, reg=reg, eigen_solver="dense")
    # The cosines of the angles between the two spaces of columns.
    cosines = np.linalg.svd(lle(x, nearest_neighbours(x, k), dims, reg).T @ np.linalg.qr(theirs)[0])[1]
    np.testing.assert_allclose(cosines, 1, atol=1e-9)


def test_columns_are_orthonormal_centred_positive_in_their_largest_entry_and_in_the_order_of_their_cost(rng):
    x = rng.standard_normal((100, 4))
    near = nearest_neighbours(x, 6)
    z = lle(x, near, dims=3)
    np.testing.assert_allclose(z.T @ z, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(z.sum(axis=0), 0, atol=1e-9)
    assert (z.max(axis=0) == np.abs(z).max(axis=0)).all()
    rebuilt = np.stack([reconstruction_weights(x[i], x[near[i]], 1e-3) @ z[near[i]] for i in range(100)])
    assert (np.diff(np.sum((z - rebuilt) ** 2, axis=0)) > 0).all()


@pytest.mark.filterwarnings("ignore:the neighbourhood graph holds")
def test_duplicates_and_samples_with_uneven_numbers_of_neighbours_are_mapped_without_nan(rng):
    x, same = rng.standard_normal((60, 3)), np.ones((12, 3))
    twice = np.repeat(x[:20], 2, axis=0)
    uneven = [row[: 4 + i % 5] for i, row in enumerate(nearest_neighbours(x, 8))]
    for given, near in ((x, uneven), (twice, nearest_neighbours(twice, 5)), (same, nearest_neighbours(same, 4))):
        z = lle(given, near)
        assert z.shape == (len(given), 2) and np.isfinite(z).all()


def test_m_has_one_vanishing_eigenvalue_for_each_closed_group(rng):
    for _ in range(20):
        lists = [rng.choice(np.delete(np.arange(12), i), 1 + i % 2, replace=False) for i in range(12)]
        weights = np.zeros((12, 12))
        for i, near in enumerate(lists):
            weights[i, near] = rng.dirichlet(np.ones(len(near)))
        rank = np.linalg.matrix_rank(np.eye(12) - weights, tol=1e-9)
        assert closed_groups(lists) == 12 - rank


def test_a_graph_that_falls_apart_is_mapped_with_a_warning_that_says_what_it_means(rng):
    x = np.concatenate([rng.standard_normal((40, 2)), 100 + rng.standard_normal((4, 2))])
    assert np.isfinite(lle(x, nearest_neighbours(x, 5))).all(), "five neighbours reach beyond the four"
    x = np.concatenate([x[:30], 1000 + rng.standard_normal((30, 2))])
    with pytest.warns(UserWarning, match="holds 2 groups.*distances between them mean nothing") as said:
        z = lle(x, nearest_neighbours(x, 5))
    assert said[0].filename == __file__, "where it was called"
    assert np.isfinite(z).all()


def test_free_directions_follow_the_largest_variance_of_the_data(rng):
    places = np.repeat([[0, 0, 0], [900, 0, 0], [0, 500, 0], [0, 0, 100]], 20, axis=0)
    x = places + rng.standard_normal((80, 3))
    with pytest.warns(UserWarning, match="holds 4 groups"):
        z = lle(x, nearest_neighbours(x, 5))
    turned = pca(x)
    np.testing.assert_allclose(np.abs(np.corrcoef(z.T, turned.T)[:2, 2:]), np.eye(2), atol=0.05)
    shuffled = rng.permutation(80)
    with pytest.warns(UserWarning, match="holds 4 groups"):
        again = lle(x[shuffled], nearest_neighbours(x[shuffled], 5))
    np.testing.assert_allclose(again, z[shuffled], atol=1e-6)


def test_more_groups_than_dimensions_and_spare_ones_are_mapped_too(rng):
    x = np.repeat(1000 * rng.standard_normal((30, 2)), 4, axis=0) + rng.standard_normal((120, 2))
    with pytest.warns(UserWarning, match="holds 30 groups"):
        z = lle(x, nearest_neighbours(x, 3))
    middles = z.reshape(30, 4, 2).mean(axis=1)
    assert np.abs(z.reshape(30, 4, 2) - middles[:, None]).max() < 1e-6 * np.abs(middles).max()


@pytest.mark.parametrize("size", [1, 5, BLOCK, 2 * BLOCK + 3])
def test_a_factor_multiplies_and_solves_as_the_matrix_that_it_replaces(rng, size):
    root = rng.standard_normal((size, size))
    a, x = root @ root.T + size * np.eye(size), rng.standard_normal((size, 3))
    replaced = a.copy()
    factor = Factor(replaced)
    np.testing.assert_allclose(np.tril(replaced), np.linalg.cholesky(a), atol=1e-10)
    np.testing.assert_allclose(factor.apply(x), a @ x, rtol=1e-12, atol=1e-12 * np.abs(a).max())
    np.testing.assert_allclose(factor.solve(a @ x), x, atol=1e-10)


def test_neither_dtype_nor_unit_change_the_map_and_nothing_the_data(rng):
    x = rng.permutation(120)[:, None] % np.array([[7.0, 11, 120]])
    near, before = nearest_neighbours(x, 6), x.copy()
    z = lle(x, near)
    for dtype in (np.float64, np.uint8, np.int8, np.uint16, np.int64, np.float16, np.float32):
        assert (lle(x.astype(dtype), near) == z).all()
    for dtype in (np.uint8, np.int8, np.uint64, np.int32):
        assert (lle(x, near.astype(dtype)) == z).all()
    for unit in (1e-200, 1e200):
        np.testing.assert_allclose(lle(unit * x, near), z, atol=1e-6)
    assert (x == before).all()


RING = [np.array([(i + 1) % 6]) for i in range(6)]
REFUSED = [
    ({"x": np.ones(6)}, "x has shape (6,): it must be (samples, features)"),
    ({"x": np.ones((5, 2))}, "numbers of samples differ (x 5, neighbours 6)"),
    ({"neighbours": RING[:5]}, "numbers of samples differ (x 6, neighbours 5)"),
    ({"x": np.where(np.arange(12).reshape(6, 2) == 11, np.nan, 0)}, "sample 5 of x holds NaN"),
    ({"x": np.ones((6, 2), complex)}, "complex128"),
    *(({"dims": dims}, f"dims is {dims}: it must be a whole number from 1 to 4") for dims in (0, 5, 1.0)),
    *(({"regularisation": r}, f"regularisation is {r}: it must be a finite") for r in (0, -1e-3, np.nan, np.inf)),
    *(({"neighbours": [*RING[:5], np.array(last)]}, f"sample 5 has neighbours {last}: they must be distinct")
      for last in ([6], [-1], [5], [1, 1], [1, -1], [-1, 1], [1, 6], [6, 1], [1, 5])),
    ({"neighbours": [*RING[:5], np.array([], int)]}, "sample 5 has no neighbours"),
    ({"neighbours": [*RING[:5], np.array([1.0])]}, "neighbours of sample 5 is float64"),
    ({"neighbours": [*RING[:5], np.array([[1]])]}, "neighbours of sample 5 has shape"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_what_has_no_meaning_is_refused_in_one_line(rng, changes, message):
    arguments = {"x": rng.standard_normal((6, 2)), "neighbours": RING, "dims": 1} | changes
    refuses(lambda: lle(**arguments), message)
