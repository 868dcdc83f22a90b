"""The airplane's graph, counted as the paper counts it (Sec. 3.4)."""

import numpy as np
import pytest

from drlim_np.data import AZIMUTHS, ELEVATIONS, LIGHTINGS, Views
from drlim_np.neighbours import contiguous_views
from tests.help.refusals import refuses

ALL = Views("all", "all", np.zeros((AZIMUTHS * ELEVATIONS * LIGHTINGS, 1, 1), np.uint8), {})


def graph(rows=slice(None)):
    return contiguous_views(ALL.azimuth[rows], ALL.elevation[rows], AZIMUTHS)


def test_views_come_in_every_pose_and_lighting_once():
    assert len(set(zip(ALL.azimuth, ALL.elevation, ALL.lighting, strict=True))) == 18 * 9 * 6
    assert (ALL.azimuth.max(), ALL.elevation.max(), ALL.lighting.max()) == (17, 8, 5)


def test_among_all_views_23_814_pairs_are_similar_as_counted_pose_by_pose():
    same_pose = AZIMUTHS * ELEVATIONS * LIGHTINGS * (LIGHTINGS - 1) // 2
    around = AZIMUTHS * ELEVATIONS * LIGHTINGS**2
    along = AZIMUTHS * (ELEVATIONS - 1) * LIGHTINGS**2
    both = 2 * AZIMUTHS * (ELEVATIONS - 1) * LIGHTINGS**2
    assert (same_pose, around, along, both) == (2430, 5832, 5184, 10368)
    assert graph().listed_count == len(graph().edges) == same_pose + around + along + both == 23_814


@pytest.mark.line("step-1-views")
def test_of_660_views_drawn_at_random_10_974_pairs_are_similar_on_average():
    expected = 23_814 * (660 * 659) / (972 * 971)
    assert round(expected) == 10_974
    rng = np.random.default_rng(0)
    counts = [graph(rng.permutation(972)[:660]).listed_count for _ in range(60)]
    assert abs(np.mean(counts) - expected) < 4 * np.std(counts) / np.sqrt(len(counts))
    assert abs(10_989 - expected) < 2 * np.std(counts)  # the paper's own split


def test_the_circle_of_azimuths_closes_and_that_of_elevations_does_not():
    assert contiguous_views(np.array([0, 17]), np.array([4, 4]), AZIMUTHS).listed_count == 1
    assert contiguous_views(np.array([3, 3]), np.array([0, 8]), AZIMUTHS).listed_count == 0


WHOLE, HALF = np.zeros(2, int), np.zeros(2)
REFUSED = [
    ((np.zeros(3, int), WHOLE, 18), "the numbers of samples differ (azimuth 3, elevation 2)"),
    ((np.zeros((2, 2), int), np.zeros((2, 2), int), 18), "azimuth has shape (2, 2)"),
    ((HALF, WHOLE, 18), "azimuth is float64"),
    ((WHOLE, HALF, 18), "elevation is float64"),
    *(((WHOLE, WHOLE, n), f"around is {n!r}: it must be a whole number of at least 1") for n in (0, -18, 18.0, None)),
]


@pytest.mark.parametrize(("given", "message"), REFUSED)
def test_steps_that_are_not_whole_or_do_not_match_are_refused(given, message):
    refuses(lambda: contiguous_views(*given), message)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.uint64, np.int64])
def test_steps_of_any_whole_dtype_give_the_same_pairs(dtype):
    azimuth, elevation = (grid.ravel().astype(dtype) for grid in np.meshgrid(np.arange(18), np.arange(9)))
    found = contiguous_views(azimuth, elevation, np.uint8(AZIMUTHS))
    assert found.listed_count == 18 * 9 + 18 * 8 + 2 * 18 * 8 == 594
    assert found.pairs.tolist() == contiguous_views(azimuth.astype(int), elevation.astype(int), AZIMUTHS).pairs.tolist()
