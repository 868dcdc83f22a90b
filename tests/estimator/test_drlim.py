"""The estimator: scikit-learn's own checks of it, what it takes as similar, and files of it."""

import io
import pickle
import subprocess
import sys
from unittest import mock

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_digits, make_swiss_roll
from sklearn.decomposition import PCA
from sklearn.manifold import LocallyLinearEmbedding
from sklearn.manifold import trustworthiness as their_trustworthiness
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import drlim_np
from drlim_np import DrLIM
from drlim_np.errors import DataError
from drlim_np.estimator import drlim, inputs
from drlim_np.estimator.inputs import similar_among
from drlim_np.files import weights
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Linear
from drlim_np.neighbours import nearest_neighbour_graph
from drlim_np.networks import convnet
from drlim_np.objective import SampledPairs
from tests.help.refusals import refuses

QUICK = {"max_iter": 5, "random_state": 0}


@pytest.fixture
def x(rng):
    return rng.standard_normal((30, 4))


def test_it_passes_every_check_that_scikit_learn_has_for_estimators():
    pytest.importorskip("sklearn", minversion="1.6")
    with pytest.warns(UserWarning, match="does not inherit from"):
        found = check_estimator(DrLIM(max_iter=5), on_skip=None)
    assert len(found) > 40
    assert [check["check_name"] for check in found if check["status"] != "passed"] == []


def test_scikit_learn_and_matplotlib_are_never_imported_by_it():
    code = """
import sys, numpy as np
from drlim_np import DrLIM
DrLIM(max_iter=2).fit(np.eye(9)).score(np.eye(9))
print([name for name in ("sklearn", "scipy", "pandas", "matplotlib") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_package_has_no_other_name_that_it_makes_up():
    with pytest.raises(AttributeError, match="no attribute 'UMAP'"):
        drlim_np.UMAP  # noqa: B018


# ---- maps ----


@pytest.mark.parametrize("data", ["roll", "digits"])
def test_the_objective_falls_and_its_maps_are_trusted_more_than_those_of_lle_and_pca(data):
    x = (make_swiss_roll(300, random_state=0)[0] if data == "roll" else load_digits().data[:300]).astype(np.float32)
    model = DrLIM(random_state=0, max_iter=500)
    z, losses = model.fit_transform(x), model.loss_curve_
    assert losses[-20:].mean() < 0.7 * losses[:20].mean()
    theirs = [model.fit_transform(x) for model in (PCA(2), LocallyLinearEmbedding(n_neighbors=5, random_state=0))]
    assert their_trustworthiness(x, z) > max(their_trustworthiness(x, other) for other in theirs)


def test_the_score_is_scikit_learns_trustworthiness(x):
    model = DrLIM(n_neighbors=4, **QUICK).fit(x)
    assert model.score(x) == pytest.approx(their_trustworthiness(x, model.transform(x), n_neighbors=4), abs=1e-12)


def test_unseen_samples_are_mapped_as_the_network_maps_them(x, rng):
    model, unseen = DrLIM(**QUICK).fit(x), rng.standard_normal((3, 4))
    z, _ = model.network_(model.weights_, (unseen - x.mean(axis=0)) / x.std())
    np.testing.assert_allclose(model.transform(unseen), z, rtol=1e-12)
    np.testing.assert_allclose(model.transform(x), model.embedding_, rtol=1e-12)


def test_the_unit_and_the_origin_of_the_input_do_not_matter(x):
    np.testing.assert_allclose(DrLIM(**QUICK).fit(1000 * x - 7).embedding_, DrLIM(**QUICK).fit(x).embedding_, rtol=1e-6)


def test_what_is_learned_has_the_shapes_that_are_promised(x):
    model = DrLIM(3, **QUICK).fit(x)
    assert model.embedding_.shape == (30, 3) and model.loss_curve_.shape == (5,) and model.n_features_in_ == 4
    assert model.get_feature_names_out().tolist() == ["drlim0", "drlim1", "drlim2"]


@pytest.mark.parametrize("state", [0, np.random.default_rng(0), np.random.RandomState(0)])
def test_every_kind_of_random_state_is_taken(x, state):
    assert DrLIM(max_iter=2, random_state=state).fit(x).embedding_.shape == (30, 2)
    again = [DrLIM(max_iter=2, random_state=5).fit(x).embedding_ for _ in range(2)]
    assert (again[0] == again[1]).all()


def test_float32_stays_float32_and_whole_numbers_become_float64(x):
    dtypes = [DrLIM(**QUICK).fit(x.astype(dtype)).transform(x).dtype for dtype in (np.float32, np.int64)]
    assert dtypes == [np.float32, np.float64]


def test_a_line_of_progress_is_kept_only_where_it_is_asked_for(x, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := io.StringIO())
    terminal.isatty = lambda: True
    DrLIM(**QUICK).fit(x)
    assert terminal.getvalue() == ""
    DrLIM(verbose=1, **QUICK).fit(x)
    assert "DrLIM: step 5/5" in terminal.getvalue()


def test_every_parameter_of_the_descent_has_its_effect(x):
    changes = {}, {"learning_rate": 0.5}, {"margin": 0.5}, {"weighting": "exact"}, {"random_state": 1}
    assert len({DrLIM(**QUICK | change).fit(x).loss_curve_[-1] for change in changes}) == len(changes)


def test_gradients_are_shortened_in_the_unit_of_the_map(x):
    with mock.patch.object(drlim, "clipped", wraps=drlim.clipped) as asked:
        DrLIM(margin=4.0, **QUICK).fit(x)
    assert asked.call_args.args[1] == pytest.approx(0.03 * 4)


def test_a_gradient_that_is_too_long_is_shortened_and_keeps_its_direction():
    def objective(params, rng, progress):
        return 1.0, {"a": np.array([3.0]), "b": np.array([4.0])}

    _, cut = drlim.clipped(objective, 0.5)({}, None, 0.0)
    assert (cut["a"], cut["b"]) == (pytest.approx(0.3), pytest.approx(0.4))
    assert drlim.clipped(objective, 5.0)({}, None, 0.0)[1] == {"a": [3.0], "b": [4.0]}


# ---- who is similar ----


def edges(graph):
    return {tuple(edge) for edge in graph.edges.tolist()}


def graph_of_fit(*data, **given):
    """The graph that a fit hands to the objective."""
    with mock.patch("drlim_np.estimator.drlim.SampledPairs", wraps=SampledPairs) as asked:
        DrLIM(n_neighbors=2, **QUICK).fit(*data, **given)
    return asked.call_args.args[2]


def test_without_labels_or_pairs_each_sample_is_similar_to_its_nearest():
    line = np.array([[0.0], [1.0], [3.0], [3.5], [9.0], [9.2]])
    graph = graph_of_fit(line)
    assert graph.listed_count == 12
    assert edges(graph) == {(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (3, 4), (3, 5), (4, 5)}


def test_a_table_of_neighbours_from_any_index_becomes_the_graph_of_these(x):
    table = NearestNeighbors(n_neighbors=5).fit(x).kneighbors(return_distance=False)
    assert edges(SimilarityGraph.of_neighbours(table)) == edges(nearest_neighbour_graph(x, 5))


def test_samples_of_one_label_are_similar_and_all_others_dissimilar():
    graph = graph_of_fit(np.arange(6.0)[:, None], np.array(["a", "b", "a", "b", "b", "a"]))
    assert edges(graph) == {(0, 2), (0, 5), (2, 5), (1, 3), (1, 4), (3, 4)} and graph.listed_count == 6


def test_a_sample_alone_with_its_label_is_similar_to_its_neighbours():
    line = np.array([[0.0], [1.0], [3.0], [8.0], [9.0]])
    assert edges(similar_among(line, [0, 0, 7, 1, 1], n_neighbors=2)) == {(0, 1), (3, 4), (1, 2), (0, 2)}


def test_pairs_or_a_graph_go_before_labels(x):
    pairs = np.stack([np.arange(30), np.roll(np.arange(30), 1)], axis=1)
    labels = np.arange(30) % 2
    for similar in (pairs, pairs.tolist(), SimilarityGraph(30, pairs)):
        assert (graph_of_fit(x, labels, similar=similar).pairs == pairs).all()


def test_labels_that_list_too_many_pairs_are_refused_before_memory_is_taken(x):
    with mock.patch.object(inputs, "MOST", 200):
        refuses(lambda: DrLIM().fit(x, np.arange(30) % 2), "y lists 210 similar pairs: fit a part")


# ---- scikit-learn's ways ----


def test_in_a_pipeline_labels_arrive_and_pairs_can_be_given(x):
    labels = (x[:, 0] > 0).astype(int)
    model = make_pipeline(StandardScaler(), DrLIM(max_iter=300, random_state=0), KNeighborsClassifier(1))
    assert model.fit(x, labels).score(x, labels) == 1
    unlabelled = make_pipeline(StandardScaler(), DrLIM(**QUICK))
    assert unlabelled.fit_transform(x, drlim__similar=[[i, (i + 1) % 30] for i in range(30)]).shape == (30, 2)


def test_a_clone_has_its_parameters_and_nothing_that_was_learned(x):
    network = Linear(4, 2)
    model = DrLIM(margin=2.0, network=network, **QUICK).fit(x)
    copy = clone(model)
    assert copy.get_params() | {"network": network} == model.get_params() and not hasattr(copy, "embedding_")
    assert repr(DrLIM(margin=2.0, n_neighbors=7)) == "DrLIM(n_neighbors=7, margin=2.0)"


def test_a_table_comes_out_where_one_is_asked_for(x):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(x, index=np.arange(30) + 100)
    model = DrLIM(**QUICK)
    plain = model.fit_transform(table)
    assert isinstance(plain, np.ndarray)
    for container in (model.set_output(transform="pandas"), clone(model).set_output(transform="pandas")):
        z = container.fit_transform(table)
        assert z.columns.tolist() == ["drlim0", "drlim1"] and z.index.tolist() == table.index.tolist()
        np.testing.assert_allclose(z.to_numpy(), plain)
    assert isinstance(model.set_output(transform=None).transform(table), pandas.DataFrame)
    assert isinstance(model.set_output(transform="default").transform(table), np.ndarray)
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(clone(DrLIM(**QUICK)).fit_transform(x), pandas.DataFrame)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda x: DrLIM().transform(x), "this DrLIM is not fitted: call fit first"),
        (lambda x: DrLIM().set_params(k=3), "k is no parameter of DrLIM: choose from n_components, n_neighbors"),
        (lambda x: DrLIM().set_output(transform="polars"), 'transform is \'polars\': choose "default" or "pandas"'),
        (lambda x: DrLIM(n_neighbors=30).fit(x), "n_neighbors is 30: it must be a whole number from 1 to 29"),
        (lambda x: DrLIM(n_components=0).fit(x), "n_components is 0: it must be a whole number of at least 1"),
        (lambda x: DrLIM(max_iter=0).fit(x), "max_iter is 0: it must be a whole number of at least 1"),
        (lambda x: DrLIM(margin=-1).fit(x), "margin is -1: it must be a finite number greater than 0"),
        (lambda x: DrLIM(weighting="equal").fit(x), "weighting is 'equal': choose"),
        (lambda x: DrLIM(network=Linear(4, 3)).fit(x), "network gives (3,) of a sample: n_components asks for (2,)"),
        (lambda x: DrLIM().fit(x, similar=[[0, 1]]), "sample 2 is in no similar pair"),
        (lambda x: DrLIM().fit(x, np.zeros(30)), "the graph needs at least one similar and one dissimilar pair"),
        (lambda x: DrLIM().fit(x, np.zeros(29)), "the numbers of samples differ (X 30, y 29)"),
        (lambda x: DrLIM().fit(1e200 * x), "X is too large for float64: divide it by its largest value"),
        (lambda x: DrLIM().fit(np.ma.masked_less(x, 0)), "X has masked entries"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(x, call, line):
    refuses(lambda: call(x), line)


def test_a_fit_that_fails_leaves_no_map(x):
    model = DrLIM(**QUICK).fit(x)
    refuses(lambda: model.fit(x, similar=[[0, 1]]), "sample 2 is in no similar pair")
    refuses(lambda: model.transform(x), "not fitted")


def test_samples_that_are_all_the_same_do_not_divide_by_zero():
    model = DrLIM(n_neighbors=2, **QUICK).fit(np.ones((9, 3)))
    assert np.isfinite(model.embedding_).all()


# ---- images, and files ----


def test_images_are_rows_to_the_default_network_and_maps_to_one_that_is_given(rng):
    images = rng.random((20, 32, 32))
    by_rows = DrLIM(**QUICK).fit(images)
    assert (by_rows.embedding_ == DrLIM(**QUICK).fit(images.reshape(20, -1)).embedding_).all()
    by_maps = DrLIM(network=convnet(), **QUICK).fit(images)
    assert by_maps.embedding_.shape == (20, 2) and by_maps.n_features_in_ == 1024
    for same in (images[:, None], images.reshape(20, -1)):
        np.testing.assert_allclose(by_maps.transform(same), by_maps.embedding_, rtol=1e-9)


@pytest.mark.parametrize("network", [None, Linear(4, 2)], ids=["default", "given"])
def test_a_saved_one_comes_back_with_its_map_and_its_parameters(x, tmp_path, network):
    model = DrLIM(margin=0.5, weighting="exact", network=network, **QUICK).fit(x)
    model.save(tmp_path / "map.npz")
    loaded = DrLIM.load(tmp_path / "map.npz", network)
    assert (loaded.transform(x) == model.transform(x)).all() and (loaded.embedding_ == model.embedding_).all()
    assert loaded.get_params() == model.get_params() | {"random_state": None}
    assert (loaded.loss_curve_ == model.loss_curve_).all() and loaded.n_features_in_ == 4
    assert loaded.n_iter_ == 5 and loaded.score(x) == model.score(x)


def test_a_file_is_not_saved_before_there_is_a_map(tmp_path):
    refuses(lambda: DrLIM().save(tmp_path / "map.npz"), "not fitted")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path, x: weights.save(path, {"W": np.zeros(3)}), "map.npz"),
        (lambda path, x: path.write_bytes(pickle.dumps(DrLIM(**QUICK).fit(x))), "map.npz"),
        (lambda path, x: DrLIM(network=Linear(4, 2), **QUICK).fit(x).save(path), "give the network that it was"),
    ],
    ids=["of something else", "a pickle", "of another network"],
)
def test_a_file_that_is_no_map_of_the_default_network_is_refused(x, tmp_path, write, message):
    path = tmp_path / "map.npz"
    write(path, x)
    refuses(lambda: DrLIM.load(path), message, DataError)
