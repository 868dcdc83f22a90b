"""Step 1 proven by exhaustion: on every small case the graphs are what the paper's words say, read one by one."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, permutations, product

import numpy as np

from drlim_np import verbatim
from drlim_np.audit.proof import Proof
from drlim_np.graph import SimilarityGraph, alike_in_any_copy, contiguous_views, nearest_neighbour_graph, pair_table


def proofs(rng: np.random.Generator) -> Iterator[Proof]:
    """The four ways to list pairs, and their counts in the paper; `rng` is not used, because every case is tried."""
    for of, words in (
        (pairing, "Y = 0 for X_j in S_i, as often as listed, 1 for all others, once"),
        (nearest, "no sample outside S_i is nearer to X_i than one of the k within"),
        (copies, "S of a copy: (a) its neighbours, (b) its shifts, (c) the neighbours' shifts"),
        (views, "similar if one step or none leads from azimuth to azimuth, and from elevation"),
    ):
        cases = [bool(case) for case in of()]
        yield Proof(of.__name__, words, (), all(cases), f"all {len(cases):,} small cases")
    azimuth, elevation, _ = np.indices((18, 9, 6)).reshape(3, -1)
    similar = contiguous_views(azimuth, elevation, 18).listed_count
    kept = round(Fraction(similar * 660 * 659, 972 * 971))
    holds = similar == 23_814 and kept == 10_974 and 10_989 + 206_481 == 660 * 659 // 2
    words = "972 views have 23,814 similar pairs, of which 660 drawn at random keep 10,974 on average"
    yield Proof("counts", words, (), holds, "counted")


def pairing() -> Iterator[bool]:
    """Every way to list the pairs of up to 4 samples: never, from either end, from both."""
    for size in range(2, 5):
        couples = list(combinations(range(size), 2))
        for ways in product(((), (0,), (1,), (0, 1)), repeat=len(couples)):
            listed = [(i, j)[:: 1 - 2 * end] for (i, j), ends in zip(couples, ways, strict=True) for end in ends]
            graph = SimilarityGraph(size, np.array(listed, int).reshape(-1, 2))
            others = [couple for couple, ends in zip(couples, ways, strict=True) if not ends]
            wanted = Counter([(*pair, 0) for pair in listed] + [(*pair, 1) for pair in others])
            counted = (graph.listed_count, graph.dissimilar_count) == (len(listed), len(others))
            yield counted and Counter(map(tuple, np.stack(pair_table(graph), axis=1).tolist())) == wanted


def nearest() -> Iterator[bool]:
    """Every 4 samples on a line of 4 places, and every 3 on a square of 9."""
    for places, samples in ((list(product(range(4))), 4), (list(product(range(3), repeat=2)), 3)):
        for chosen in product(places, repeat=samples):
            x = np.array(chosen, np.float64)
            apart = ((x[:, None] - x) ** 2).sum(axis=2)
            for k in range(1, samples):
                listed, near = nearest_neighbour_graph(x, k).pairs, np.zeros((samples, samples), bool)
                near[listed[:, 0], listed[:, 1]] = True
                others = ~near & ~np.eye(samples, dtype=bool)
                nearer = np.where(near, apart, 0).max(axis=1) <= np.where(others, apart, np.inf).min(axis=1)
                counted = len(listed) == samples * k and (near.sum(axis=1) == k).all()
                yield counted and nearer.all() and not near.diagonal().any()


def copies() -> Iterator[bool]:
    """Every directed graph of up to 3 characters, in up to 3 copies."""
    for size, number in product(range(1, 4), range(1, 4)):
        arrows = list(permutations(range(size), 2))
        for chosen in product((False, True), repeat=len(arrows)):
            listed = [arrow for arrow, there in zip(arrows, chosen, strict=True) if there]
            found = alike_in_any_copy(SimilarityGraph(size, np.array(listed, int).reshape(-1, 2)), number)
            wanted = Counter()
            for i, c in product(range(size), range(number)):
                near = [j for one, j in listed if one == i]
                shifts = [other for other in range(number) if other != c]
                alike = [(j, c) for j in near] + [(j, other) for j in (i, *near) for other in shifts]
                wanted.update((i * number + c, j * number + other) for j, other in alike)
            yield Counter(map(tuple, found.pairs.tolist())) == wanted


def views() -> Iterator[bool]:
    """Every cylinder of up to 6 azimuths and 4 elevations, two views of each pose."""
    for around, high in product(range(1, 7), range(1, 5)):
        poses = list(product(range(around), range(high), range(2)))
        azimuth, elevation, _ = np.array(poses).T
        found = contiguous_views(azimuth, elevation, around)
        labelled = []
        for (i, (a, e, _)), (j, (b, f, _)) in combinations(enumerate(poses), 2):
            steps = product((-1, 0, 1), repeat=2)
            alike = any(((a + turn) % around, e + rise) == (b, f) for turn, rise in steps)
            labelled.append([i, j, int(not alike)])
        page = verbatim.pair_up(verbatim.similar_views(azimuth, elevation, around)).T.tolist()
        yield found.pairs.tolist() == [[i, j] for i, j, y in labelled if y == 0] and sorted(page) == labelled
