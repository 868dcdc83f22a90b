"""The measures that users of other libraries expect, against libraries or the co-ranking matrix by its definition."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from sklearn.manifold import trustworthiness as their_trustworthiness
from sklearn.metrics import silhouette_samples

from drlim_np.errors import InputError
from drlim_np.measure.metrics import (
    distance_correlation,
    local_continuity,
    rank_error,
    silhouette,
    silhouette_of_each,
    trust_of_each,
    trustworthiness,
)

N, K = 40, 6


@pytest.fixture
def x(rng):
    return rng.standard_normal((N, 5))


@pytest.fixture
def z(x, rng):
    return x[:, :2] + 0.3 * rng.standard_normal((N, 2))


def ranks(points):
    """rank[i, j]: where j comes when the others are sorted by their distance from i; 0 for i itself."""
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    return distances.argsort(axis=1).argsort(axis=1)


def co_ranking(x, z):
    """q[k, l]: how many pairs have rank k in the data and rank l on the map (Lee and Verleysen, 2009)."""
    q = np.zeros((N, N))
    np.add.at(q, (ranks(x).ravel(), ranks(z).ravel()), 1)
    q[0, 0] = 0
    return q


def test_local_continuity_is_the_block_of_the_co_ranking_matrix_less_chance(x, z):
    expected = co_ranking(x, z)[1 : K + 1, 1 : K + 1].sum() / (N * K) - K / (N - 1)
    assert local_continuity(x, z, K) == pytest.approx(expected, abs=1e-12)
    assert local_continuity(x, 3 * x, K) == pytest.approx(1 - K / (N - 1), abs=1e-12)


def test_local_continuity_of_a_random_map_is_about_0(rng):
    scores = [local_continuity(rng.random((N, 3)), rng.random((N, 2)), K) for _ in range(200)]
    assert abs(np.mean(scores)) < 0.01


def test_the_rank_error_is_summed_over_the_columns_of_the_co_ranking_matrix(x, z):
    def expected(q):
        k, rank = np.arange(1, K + 1), np.arange(N)
        error = sum(q[:, r] @ np.abs(rank - r) / r for r in range(1, K + 1))
        return error / (N * np.sum(np.abs(N - 2 * k) / k))

    assert rank_error(x, z, K) == pytest.approx(expected(co_ranking(x, z)), abs=1e-12)
    assert rank_error(z, x, K) == pytest.approx(expected(co_ranking(z, x)), abs=1e-12)
    assert rank_error(x, -2 * x, K) == 0


def test_the_correlation_of_distances_is_scipys_with_and_without_ties(x, z, rng):
    assert distance_correlation(x, z) == pytest.approx(spearmanr(pdist(x), pdist(z)).statistic, abs=1e-12)
    coarse, grid = rng.integers(3, size=(N, 2)), rng.integers(4, size=(N, 3))
    expected = spearmanr(pdist(coarse, "sqeuclidean"), pdist(grid, "sqeuclidean")).statistic
    assert distance_correlation(coarse, grid) == pytest.approx(expected, abs=1e-12)
    assert distance_correlation(x, 1e200 * x) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("samples", [1, 3])
def test_a_correlation_of_equal_distances_is_refused(samples):
    with pytest.raises(InputError, match="all distances are the same"):
        distance_correlation(np.eye(3)[:samples], np.arange(float(samples))[:, None])


def test_the_trust_of_each_averages_to_trustworthiness_and_is_had_one_sample_at_a_time(x, z):
    each = trust_of_each(x, z, K)
    assert each.mean() == pytest.approx(their_trustworthiness(x, z, n_neighbors=K), abs=1e-12)
    assert each.mean() == pytest.approx(trustworthiness(x, z, K), abs=1e-12)
    in_data, on_map = ranks(x), ranks(z)
    for i in range(N):
        excess = sum(max(0, in_data[i, j] - K) for j in range(N) if 1 <= on_map[i, j] <= K)
        assert each[i] == pytest.approx(1 - 2 * excess / (K * (2 * N - 3 * K - 1)), abs=1e-12)


def test_the_silhouette_of_each_is_scikit_learns_in_the_order_of_the_samples(z, rng):
    labels = rng.integers(3, size=N)
    labels[5] = 7  # alone
    np.testing.assert_allclose(silhouette_of_each(z, labels), silhouette_samples(z, labels), atol=1e-12)
    assert silhouette_of_each(z, labels).mean() == pytest.approx(silhouette(z, labels), abs=1e-12)
    with pytest.raises(InputError, match="a silhouette needs 2 to"):
        silhouette_of_each(z, np.zeros(N))


@pytest.mark.parametrize("measure", [local_continuity, rank_error, distance_correlation, trust_of_each])
def test_data_and_map_must_have_as_many_samples(measure, x, z):
    with pytest.raises(InputError, match="the numbers of samples differ"):
        measure(x, z[:-1])


@pytest.mark.parametrize("measure", [trustworthiness, trust_of_each, rank_error, local_continuity])
def test_twelve_neighbours_are_compared_unless_told_otherwise(measure, x, z):
    assert np.array_equal(measure(x, z), measure(x, z, 12)) and not np.array_equal(measure(x, z), measure(x, z, 11))
