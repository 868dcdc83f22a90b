"""Other machines. Arrays in the other byte order, as their files hold them: every door answers as to those of this one.

Whole numbers on one of 32 bits, here by its limits in the place of ours: counts are right, refusals name them. There
`np.unique` counts in int32, no array is larger than 2³¹ - 1 bytes, and NumPy cuts an index to int32.
"""

import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from drlim_np.audit import gradcheck
from drlim_np.checks.numbers import plain_array, real_array
from drlim_np.data import in_their_span, ink_lost, moved, shifted, wide
from drlim_np.drawing.light import packed
from drlim_np.estimator import DrLIM, inputs, plot
from drlim_np.fast import devices
from drlim_np.fast.all_pairs import contrastive_all_pairs, dissimilar_sum
from drlim_np.fast.knn import nearest_neighbours
from drlim_np.files import weights
from drlim_np.graph import SimilarityGraph, contiguous_views
from drlim_np.loss import all_pairs_by_definition, contrastive, dissimilar_loss, energy, similar_loss
from drlim_np.measure import cylinder, lle, metrics
from drlim_np.networks import two_layer
from drlim_np.objective import EveryPair
from drlim_np.sampled import SampledPairs, weighted_pairs
from drlim_np.siamese import one_tower, two_towers
from drlim_np.training import SGD, embed, minimise
from drlim_np.tree import tree_map
from tests.help.comparing import bits
from tests.help.every_layer import EVERY_LAYER, drawn
from tests.help.refusals import refuses

RNG = np.random.default_rng(0)
X, Z, Z2 = (RNG.standard_normal((600, width)).astype(np.float32) for width in (7, 2, 2))
SPACE = RNG.standard_normal((60, 3))
PAIRS = np.stack([np.arange(600), np.roll(np.arange(600), 1)], axis=1)
GRAPH = SimilarityGraph(600, PAIRS)
LABELS, WORDS = np.repeat(np.arange(3), 20), np.repeat(["four", "nine", "seven"], 20)
IMAGES = RNG.random((3, 2, 8, 16))
NETWORK = two_layer(7, 4, 2)
W = NETWORK.init(np.random.default_rng(1))


def swapped(array):
    return array.astype(array.dtype.newbyteorder("S"))


def tree(answer):
    """Tuples of tuples as a tree, so that its leaves can be compared."""
    return {str(k): tree(part) for k, part in enumerate(answer)} if isinstance(answer, tuple | list) else answer


def one_pass(layer, params, x):
    y, pullback = layer(params, x)
    return y, pullback(y if x.dtype.isnative else swapped(y), wrt_input=True)


def fitted(x, labels=None, similar=None, **more):
    model = DrLIM(max_iter=3, random_state=0, **more).fit(x, labels, similar)
    return model.embedding_, model.transform(x), model.mean_, model.weights_, model.score(x)


def points(z, images, labels):
    figure = plot(z, images, labels)
    return [artist.get_offsets().data for artist in figure.axes[0].collections]


def descended(objective, params, x):
    return minimise(objective(NETWORK, x, GRAPH), params, SGD(0.1, 0.9), 2, np.random.default_rng(0))


def checked(x):
    rows = gradcheck.check(lambda t: (t["x"] ** 2).sum(), {"x": x}, {"x": 2 * x}, np.random.default_rng(0))
    return np.array([row.holds for row in rows])


DOORS = {
    **{name: (partial(one_pass, layer), drawn(layer, RNG, np.float32), RNG.standard_normal(shape).astype("f"))
       for name, (layer, shape) in EVERY_LAYER.items()},
    "energy": (energy, Z, Z2),
    "similar_loss": (similar_loss, Z[:, 0]),
    "dissimilar_loss": (partial(dissimilar_loss, margin=1.0), np.abs(Z[:, 0])),
    "contrastive": (partial(contrastive, margin=1.0), Z, Z2, np.arange(600) % 2),
    "all_pairs_by_definition": (lambda z: all_pairs_by_definition(z, GRAPH, 1.0), Z),
    "contrastive_all_pairs": (lambda z, pairs: contrastive_all_pairs(z, SimilarityGraph(600, pairs), 1.0), Z, PAIRS),
    "dissimilar_sum": (lambda z, weight: dissimilar_sum(z, GRAPH, 1.0, weight), Z, np.abs(Z[:, 1])),
    "weighted_pairs": (partial(weighted_pairs, margin=1.0), Z[:60], SPACE @ SPACE.T, SPACE @ SPACE.T),
    "one_tower": (lambda w, x: one_tower(NETWORK, w, x, GRAPH, 1.0), W, X),
    "two_towers": (lambda w, x, y: two_towers(NETWORK, w, x[:300], x[300:], y, 1.0), W, X, np.arange(300) % 2),
    "EveryPair": (partial(descended, EveryPair), W, X),
    "SampledPairs": (partial(descended, SampledPairs), W, X),
    "embed": (partial(embed, NETWORK), W, X),
    "gradcheck": (checked, SPACE),
    "SimilarityGraph": (lambda pairs: (SimilarityGraph(600, pairs).degree, SimilarityGraph(600, pairs).edges), PAIRS),
    "of_neighbours": (lambda table: SimilarityGraph.of_neighbours(table).pairs, PAIRS[:, 1:]),
    "within": (lambda samples: GRAPH.within(samples).pairs, PAIRS[3:9, 0]),
    "contiguous_views": (lambda *steps: contiguous_views(*steps, 18).pairs, LABELS, LABELS),
    "nearest_neighbours": (partial(nearest_neighbours, k=5), X),
    "nearest_neighbours of few": (partial(nearest_neighbours, k=5), Z),
    "nearest_neighbours of float16": (partial(nearest_neighbours, k=5), X.astype(np.float16)),
    "fit": (fitted, X[:60]),
    "fit of labels": (fitted, X[:60], LABELS),
    "fit of words": (fitted, X[:60].astype(float), WORDS),
    "fit of pairs": (lambda x, pairs: fitted(x, similar=pairs), X, PAIRS),
    "fit of images": (fitted, RNG.random((40, 5, 6), dtype=np.float32)),
    "fit of whole numbers": (fitted, RNG.integers(0, 255, (40, 6), np.uint16)),
    "plot": (points, Z[:60], RNG.random((60, 4, 4)), LABELS),
    "lle": (lambda x, near: lle.lle(x, list(near)), X[:60], nearest_neighbours(X[:60], 5)),
    **{name: (getattr(metrics, name), X[:60], LABELS)
       for name in ("accuracy", "regression_r2", "same_label_neighbours", "silhouette", "shift_ratio", "share_within")},
    **{name: (getattr(metrics, name), X[:60], Z[:60]) for name in ("trustworthiness", "continuity")},
    **{name: (getattr(metrics, name), SPACE[:, 0], SPACE[:, 1]) for name in ("linear_r2", "resultant_length")},
    **{name: (getattr(metrics, name), X[:60]) for name in ("unevenness", "pca")},
    "slant": (metrics.slant, IMAGES[:, 0]),
    "cylinder": (lambda z, *angles: cylinder.fit(z, *angles).upright(z), SPACE, SPACE[:, 0], SPACE[:, 1]),
    **{door.__name__: (door, IMAGES) for door in (shifted, wide, ink_lost)},
    "moved": (partial(moved, right=0.5, turn=10.0), IMAGES.astype(np.float32)),
    "in_their_span": (in_their_span, X, np.arange(5)),
    "npz": (lambda x, i: (weights.archived("W", {"a": x}), packed({"a": x, "b": i})), X, PAIRS),
    "longdouble": (partial(real_array, "x"), SPACE[:, 0].astype(np.longdouble)),
    "words": (partial(plain_array, "y"), WORDS),
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_every_door_takes_the_other_byte_order_and_answers_in_this_one_bit_for_bit(door):
    function, *arrays = DOORS[door]
    expected, found = function(*arrays), function(*(tree_map(swapped, array) for array in arrays))
    assert bits(tree(found)) == bits(tree(expected))


@pytest.fixture
def thirty_two_bits(monkeypatch):
    """This process with the limits of one of 32 bits."""
    unique = np.unique

    def counted(x, **asked):
        answer = unique(x, **asked)
        return (*answer[:-1], answer[-1].astype(np.int32)) if "return_counts" in asked else answer

    monkeypatch.setattr(inputs.np, "unique", counted)
    monkeypatch.setattr(inputs.np, "triu_indices", lambda *_: pytest.fail("pairs are listed that memory does not hold"))
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)


@pytest.mark.parametrize("samples", [8_193, 46_341, 46_342, 65_536, 92_682, 100_000, 1_000_000])
def test_labels_that_list_too_many_pairs_are_refused_by_their_number(samples, thirty_two_bits):
    x = np.broadcast_to(np.float32(0.5), (samples, 1))
    listed = f"y lists {samples * (samples - 1) // 2:,} similar pairs: fit a part of the samples"
    refuses(lambda: DrLIM().fit(x, np.zeros(samples, np.int8)), listed)


def test_what_no_array_of_32_bits_holds_is_refused_by_its_number(thirty_two_bits):
    images = np.broadcast_to(np.float32(0), (300_000, 1024))
    refuses(lambda: nearest_neighbours(images, 5), "x of shape (300000, 1024) needs 6.87 GiB of memory, and ")
    ring = np.roll(np.arange(20_000), 1)[:, None]
    points = np.arange(40_000.0).reshape(-1, 2)
    refuses(lambda: lle.lle(points, ring), "LLE of 20,000 samples needs 2.98 GiB of memory, ")
    refuses(lambda: SimilarityGraph(2**31, []), f"size is {2**31}: it must be a whole number from 0 to {2**31 - 1}")
    largest = SimilarityGraph(2**31 - 1, [[0, 2**31 - 2]])
    assert largest.dissimilar_count == (2**31 - 1) * (2**30 - 1) - 1
    assert largest.edges.tolist() == [[0, 2**31 - 2]]
    refuses(lambda: largest.degree, "the degree of each of 2,147,483,647 samples needs 16 GiB of memory, and ")
    refuses(lambda: largest.within([0]), "a list of neighbours for each of 2,147,483,647 samples needs 16 GiB")


CUT = [2**32, 2**32 + 1, -(2**32), 2**63 - 1, -1, 3]  # as int32: 0, 1, 0, -1, -1, 3
VIEWS = SimpleNamespace(azimuth=np.arange(3), elevation=np.arange(3), lighting=np.arange(3))
TAKERS = {
    "pairs": (lambda i: SimilarityGraph(3, [[0, i]]), "pair 0 is (0, {}): samples count from 0 to 2"),
    "table": (lambda i: SimilarityGraph.of_neighbours([[1], [2], [i]]), "pair 2 is (2, {}): samples count from 0 to 2"),
    "within": (lambda i: SimilarityGraph(3, [[0, 1]]).within([0, i]), "samples holds {}: samples count from 0 to 2"),
    "lle": (lambda i: lle.lle(np.eye(3), [[1], [2], [i]], 1), "sample 2 has neighbours [{}]: they must be distinct"),
    "fit": (lambda i: DrLIM().fit(np.eye(3), similar=[[0, 1], [2, i]]), "pair 1 is (2, {}): samples count from 0 to 2"),
    "cylinder": (lambda i: cylinder.fit_views(np.eye(3), VIEWS, [0, 1, i]), "rows holds {}: samples count from 0 to 2"),
    "read": (
        lambda i: cylinder.organisation(np.eye(3), None, VIEWS, [1, i]),
        "rows holds {}: samples count from 0 to 2",
    ),
    "split": (lambda i: in_their_span(np.eye(3), [0, i]), "train holds {}: samples count from 0 to 2"),
}


@pytest.mark.parametrize("index", CUT)
@pytest.mark.parametrize("taker", TAKERS)
def test_an_index_that_no_sample_has_is_refused_before_it_is_used(taker, index):
    call, message = TAKERS[taker]
    refuses(partial(call, index), message.format(index))


def test_what_is_free_is_what_the_process_may_still_address(monkeypatch):
    resource = pytest.importorskip("resource", reason="Windows sets a process no such limit")
    files = {"meminfo": f"MemAvailable: {2**40} kB", "statm": "1000 10 10"}
    monkeypatch.setattr(devices.Path, "read_text", lambda path: files.get(path.name, "max"))
    used, none, wide, narrow = 1000 * devices.PAGESIZE, resource.RLIM_INFINITY, 2**63 - 1, 2**31 - 1
    cases = (2**30, wide, 2**30 - used), (none, wide, 2**50), (none, narrow, narrow), (2**30, narrow, 2**30 - used)
    for allowed, maxsize, free in cases:
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=allowed: (soft, soft))
        monkeypatch.setattr(sys, "maxsize", maxsize)
        assert devices.free_memory() == free
    files["statm"] = f"{3 * 2**30 // devices.PAGESIZE} 10 10"
    monkeypatch.setattr(resource, "getrlimit", lambda _: (none, none))
    assert devices.free_memory() == 2 * narrow - 3 * 2**30
