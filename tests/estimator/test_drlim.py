"""The estimator: scikit-learn's own checks of it, what it takes as similar, and files of it."""

import io
import pickle
import subprocess
import sys
from unittest import mock

import numpy as np
import pandas
import pytest
import sklearn
from scipy.sparse import coo_array
from sklearn.base import clone
from sklearn.datasets import load_digits, make_swiss_roll
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.manifold import LocallyLinearEmbedding
from sklearn.manifold import trustworthiness as their_trustworthiness
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted

import drlim_np
from drlim_np import DrLIM
from drlim_np.errors import DataError
from drlim_np.estimator import drlim
from drlim_np.estimator.inputs import similar_among
from drlim_np.files import weights
from drlim_np.graph import SimilarityGraph, nearest_neighbour_graph
from drlim_np.layers import Linear
from drlim_np.measure.metrics import accuracy, same_label_neighbours, share_within, shift_ratio, silhouette
from drlim_np.networks import convnet
from drlim_np.sampled import SampledPairs
from tests.help.refusals import refuses

QUICK = {"max_iter": 5, "random_state": 0}
RING = np.stack([np.arange(30), np.roll(np.arange(30), 1)], axis=1)
LINE = np.array([[0.0], [1.0], [3.0], [8.0], [9.0]])


@pytest.fixture
def x(rng):
    return rng.standard_normal((30, 4))


def quick(**given):
    return DrLIM(**QUICK | given)


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
    with pytest.raises(AttributeError, match="no attribute 'UMAP'"):
        drlim_np.UMAP  # noqa: B018


@pytest.mark.parametrize("data", ["roll", "digits"])
def test_the_objective_falls_and_its_maps_are_trusted_more_than_those_of_lle_and_pca(data):
    x = (make_swiss_roll(300, random_state=0)[0] if data == "roll" else load_digits().data[:300]).astype(np.float32)
    model = DrLIM(random_state=0, max_iter=500)
    z, losses = model.fit_transform(x), model.loss_curve_
    assert losses[-20:].mean() < 0.7 * losses[:20].mean()
    theirs = [model.fit_transform(x) for model in (PCA(2), LocallyLinearEmbedding(n_neighbors=5, random_state=0))]
    assert their_trustworthiness(x, z) > max(their_trustworthiness(x, other) for other in theirs)


def test_unseen_samples_are_mapped_as_the_network_maps_them_and_scored_by_scikit_learns_trustworthiness(x, rng):
    model, unseen = quick(n_neighbors=4).fit(x), rng.standard_normal((3, 4))
    z, _ = model.network_(model.weights_, (unseen - x.mean(axis=0)) / (x - x.mean(axis=0)).std())
    np.testing.assert_allclose(model.transform(unseen), z, rtol=1e-12)
    np.testing.assert_allclose(model.transform(x), model.embedding_, rtol=1e-12)
    assert model.score(x) == pytest.approx(their_trustworthiness(x, model.transform(x), n_neighbors=4), abs=1e-12)


@pytest.mark.parametrize("value", [1.7e9, 2006, 0.1, 1e300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_feature_with_one_value_has_no_effect(x, value, dtype):
    x, value = x.astype(dtype), min(value, float(np.finfo(dtype).max))
    with_it, without = quick().fit(np.insert(x, 2, value, axis=1)), quick().fit(x)
    assert (with_it.embedding_ == without.embedding_).all()
    assert (with_it.transform(np.insert(x, 2, 5, axis=1)) == without.transform(x)).all()


@pytest.mark.parametrize(
    ("dtype", "scale", "far", "bound"),
    [
        (np.float64, 1000, -7, {"rtol": 1e-6}),
        *((np.float64, scale, 0, {"rtol": 1e-9}) for scale in (1e-300, 1e-200, 1e-30, 1e30, 1e200, 1e307)),
        *((np.float32, scale, 0, {"rtol": 1e-4}) for scale in (1e-36, 1e-30, 1e30, 1e36)),
        *((np.float64, 1, far, {"atol": 1e-6}) for far in (1e6, 1e9)),
    ],
)
def test_the_unit_and_the_origin_of_the_input_do_not_matter(x, dtype, scale, far, bound):
    x = (np.round(x * 1024) / 1024).astype(dtype)  # which float64 holds far from 0 too
    power = dtype(np.exp2(np.floor(np.log2(scale))))  # so that nothing is rounded
    there, here = (quick().fit(rows).embedding_ for rows in (x * power + dtype(far), x))
    np.testing.assert_allclose(there, here, **bound)


def test_what_is_learned_has_the_shapes_that_are_promised(x):
    model = quick(n_components=3, random_state=np.random.default_rng(0)).fit(x.astype(np.int64))
    assert model.embedding_.shape == (30, 3) and model.loss_curve_.shape == (5,) and model.n_features_in_ == 4
    assert model.get_feature_names_out().tolist() == ["drlim0", "drlim1", "drlim2"]
    assert np.isfinite(quick(n_neighbors=2).fit(np.ones((9, 3))).embedding_).all(), "of samples that are all the same"


def test_a_line_of_progress_is_kept_only_where_it_is_asked_for(x, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    notebook = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()  # no terminal
    for stream in (terminal, notebook):
        monkeypatch.setattr(sys, "stderr", stream)
        quick().fit(x)
        assert stream.getvalue() == ""
        quick(verbose=1).fit(x)
        assert "DrLIM: step 5/5" in stream.getvalue()


def test_every_parameter_of_the_descent_has_its_effect(x):
    changes = {}, {"learning_rate": 0.5}, {"margin": 0.5}, {"weighting": "exact"}, {"random_state": 1}
    assert len({quick(**change).fit(x).loss_curve_[-1] for change in changes}) == len(changes)


def test_a_gradient_that_is_too_long_for_the_unit_of_the_map_is_shortened_and_keeps_its_direction(x):
    def objective(params, rng, progress):
        return 1.0, {"a": np.array([3.0]), "b": np.array([4.0])}

    _, cut = drlim.clipped(objective, 0.5)({}, None, 0.0)
    assert (cut["a"], cut["b"]) == (pytest.approx(0.3), pytest.approx(0.4))
    assert drlim.clipped(objective, 5.0)({}, None, 0.0)[1] == {"a": [3.0], "b": [4.0]}
    with mock.patch.object(drlim, "clipped", wraps=drlim.clipped) as asked:
        quick(margin=4.0).fit(x)
    assert asked.call_args.args[1] == pytest.approx(0.03 * 4)


def edges(graph):
    return {tuple(edge) for edge in graph.edges.tolist()}


def graph_of_fit(*data, **given):
    """The graph that a fit hands to the objective."""
    with mock.patch("drlim_np.estimator.drlim.SampledPairs", wraps=SampledPairs) as asked:
        quick(n_neighbors=2).fit(*data, **given)
    return asked.call_args.args[2]


def test_without_labels_or_pairs_each_sample_is_similar_to_its_nearest_and_with_labels_to_those_of_its_own():
    line = np.array([[0.0], [1.0], [3.0], [3.5], [9.0], [9.2]])
    graph = graph_of_fit(line)
    assert graph.listed_count == 12
    assert edges(graph) == {(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (3, 4), (3, 5), (4, 5)}
    graph = graph_of_fit(line, np.array(["a", "b", "a", "b", "b", "a"]))
    assert graph.listed_count == 6
    assert edges(graph) == {(0, 2), (0, 5), (2, 5), (1, 3), (1, 4), (3, 4)}
    assert quick().fit(line[:4], [0, 0, 1, 1]).embedding_.shape == (4, 2), "labels alone ask for no neighbours"


@pytest.mark.parametrize("labels", [[0, 0, 7, 1, 1], [0, 0, -1, 1, 1], [0.0, 0, -1, 1, 1]])
def test_a_sample_alone_with_its_label_or_unlabelled_is_similar_to_its_neighbours(labels):
    assert edges(similar_among(LINE, labels, n_neighbors=2)) == {(0, 1), (3, 4), (1, 2), (0, 2)}
    assert edges(similar_among(LINE, [-1, 0, 0, 1, -1], n_neighbors=1)) == {(0, 1), (1, 2), (3, 4)}
    assert -1 not in LabelSpreading().fit(LINE, labels).classes_, "as for scikit-learn, -1 is no label"


SPARSE = coo_array((np.ones(30), RING.T)).tocsr()[:, :]


@pytest.mark.parametrize("similar", [RING, RING.tolist(), SimilarityGraph(30, RING), SPARSE])
def test_pairs_are_taken_as_a_list_as_a_graph_and_as_the_entries_of_a_sparse_matrix(x, similar):
    assert (np.sort(graph_of_fit(x, similar=similar).pairs, axis=0) == np.sort(RING, axis=0)).all()
    if isinstance(similar, SimilarityGraph):  # which goes before the labels that a pipeline brings
        assert (graph_of_fit(x, np.arange(30) % 2, similar=similar).pairs == RING).all()


def test_a_table_of_neighbours_from_any_index_becomes_the_graph_of_these(x):
    table = NearestNeighbors(n_neighbors=5).fit(x).kneighbors(return_distance=False)
    assert edges(SimilarityGraph.of_neighbours(table)) == edges(nearest_neighbour_graph(x, 5))


DATES = pandas.to_datetime(["2006-06-17", "2006-06-18", "2006-06-19"])
GAPS = [
    np.array([1.0, 2, np.nan]),
    np.array([1, 2, np.nan], dtype=object),
    ["a", "b", None],
    ["a", "b", float("nan")],
    pandas.Series([1, 2, None], dtype="Int64"),
    pandas.Series(["a", "b", None], dtype="string"),
    pandas.Series(["a", "b", None]),
    pandas.Categorical(["a", "b", None]),
    pandas.Categorical([1, 2, None]),
    pandas.Series([True, False, None], dtype="boolean"),
    np.array(["2006-06-17", "2006-06-18", "NaT"], "datetime64[D]"),
]


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: type(gap).__name__)
def test_a_missing_label_is_refused_by_its_sample(gap):
    refuses(lambda: DrLIM().fit(LINE[:3], gap), "sample 2 of y holds NaN, infinite or missing values: remove it")
    for measure in (accuracy, same_label_neighbours, silhouette, shift_ratio, share_within):
        refuses(lambda measure=measure: measure(np.eye(3)[:, :2], gap), "sample 2 of ")


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "datetime64[ns]", "object", "boolean"])
def test_a_missing_value_of_a_table_is_refused_by_its_sample(dtype):
    column = pandas.Series([1, 0, None, 1], dtype=dtype)
    refuses(lambda: DrLIM().fit(pandas.DataFrame({"a": [1.0, 2, 3, 4], "b": column})), "sample 2 of X")
    refuses(lambda: DrLIM().fit(column.to_frame()), "sample 2 of X")


@pytest.mark.parametrize(("column", "kind"), [(DATES, TypeError), (["a", "b", "c"], ValueError)])
def test_dates_and_texts_are_refused_in_one_line(column, kind):
    mixed = pandas.DataFrame({"a": [1.0, 2, 3], "b": column})
    refuses(lambda: DrLIM().fit(mixed), "X must hold real numbers", kind)


def test_in_a_pipeline_labels_arrive_and_pairs_can_be_given(x):
    labels = (x[:, 0] > 0).astype(int)
    model = make_pipeline(StandardScaler(), DrLIM(max_iter=300, random_state=0), KNeighborsClassifier(1))
    assert model.fit(x, labels).score(x, labels) == 1
    assert make_pipeline(StandardScaler(), quick()).fit_transform(x, drlim__similar=RING).shape == (30, 2)


def test_a_clone_has_its_parameters_and_nothing_that_was_learned(x):
    network = Linear(4, 2)
    model = quick(margin=2.0, network=network).fit(x)
    copy = clone(model)
    assert copy.get_params() | {"network": network} == model.get_params() and not hasattr(copy, "embedding_")
    assert "n_neighbors=7, margin=2.0, network=None" in repr(DrLIM(margin=2.0, n_neighbors=7))


def test_a_table_comes_out_where_one_is_asked_for(x):
    table = pandas.DataFrame(x, index=np.arange(30) + 100)
    model = quick()
    plain = model.fit_transform(table)
    assert isinstance(plain, np.ndarray)
    for container in (model.set_output(transform="pandas"), clone(model)):
        z = container.fit_transform(table)
        assert z.columns.tolist() == ["drlim0", "drlim1"] and z.index.tolist() == table.index.tolist()
        np.testing.assert_allclose(z.to_numpy(), plain)
    assert isinstance(model.set_output(transform=None).transform(table), pandas.DataFrame)
    assert isinstance(model.set_output(transform="default").transform(table), np.ndarray)
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(quick().fit_transform(x), pandas.DataFrame)
    assert isinstance(model.set_output(transform="pandas").fit_transform(x.tolist()), pandas.DataFrame)
    search = GridSearchCV(make_pipeline(StandardScaler(), model), {"drlim__margin": [0.5, 1.0]}, cv=2).fit(x)
    assert search.transform(x).columns.tolist() == ["drlim0", "drlim1"]


def test_a_table_of_polars_comes_out_where_one_is_asked_for(x):
    polars = pytest.importorskip("polars")
    table = polars.DataFrame(x, schema=list("abcd"))
    model = quick().set_output(transform="polars").fit(table)
    assert model.transform(table).columns == ["drlim0", "drlim1"] and model.feature_names_in_.tolist() == list("abcd")
    with sklearn.config_context(transform_output="polars"):
        assert isinstance(quick().fit_transform(x), polars.DataFrame)


def test_a_container_that_is_not_installed_is_named(x, monkeypatch):
    monkeypatch.setattr("drlim_np.estimator.drlim.find_spec", lambda name: None)
    refuses(lambda: quick().set_output(transform="polars").fit_transform(x), "polars is not installed: pip")


def test_pairs_reach_it_through_a_pipeline_by_metadata_routing(x):
    graph = SimilarityGraph(30, RING)
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(StandardScaler(), quick().set_fit_request(similar=True))
        routed = clone(model).fit(x, similar=graph)[-1].embedding_
        with pytest.raises(TypeError, match="similar"):
            make_pipeline(quick().set_fit_request(similar=False)).fit(x, similar=graph)
    assert (routed == quick().fit(StandardScaler().fit_transform(x), similar=graph).embedding_).all()


def test_a_table_with_other_columns_than_at_fit_is_refused_in_scikit_learns_words(x, tmp_path):
    table = pandas.DataFrame(x, columns=list("abcd"))
    fitted = quick().fit(table)
    fitted.save(tmp_path / "map.npz")
    for model in (fitted, DrLIM.load(tmp_path / "map.npz")):
        assert model.feature_names_in_.tolist() == list("abcd")
        assert (model.transform(table) == fitted.embedding_).all() and (model.transform(x) == fitted.embedding_).all()
        for call in (model.transform, model.score):
            refuses(lambda call=call: call(table[list("bacd")]), "must be in the same order as they were in fit")
            refuses(lambda call=call: call(table.rename(columns={"a": "e"})), "passed during fit: ['a', 'e']")
    refuses(lambda: quick().fit(table.rename(columns={"a": 1})), "X has feature names that are texts and others")


def test_images_with_other_axes_than_at_fit_are_refused(rng, tmp_path):
    images = rng.random((20, 16, 8))
    fitted = quick().fit(images)
    fitted.save(tmp_path / "map.npz")
    for model in (fitted, DrLIM.load(tmp_path / "map.npz")):
        for other in (images.transpose(0, 2, 1), images[:, None].transpose(0, 2, 3, 1), images.reshape(20, 2, 8, 8)):
            refuses(lambda model=model, other=other: model.transform(other), "but fit was given (1, 16, 8)")
        for same in (images, images[:, None], images.reshape(20, -1)):
            np.testing.assert_allclose(model.transform(same), fitted.embedding_, rtol=1e-9)
    refuses(lambda: quick().fit(images.reshape(20, -1)).transform(images), "but fit was given (128,)")


LIST = "give an array, or a list as list() makes"
LAYER = "give a layer of drlim_np.layers, such as networks.convnet()"
GIVEN = [  # parameters, and what `fit` is given with or in the place of x, and how it is refused
    ({"n_neighbors": 29}, {}, "n_neighbors is 29: it must be a whole number from 1 to 28"),
    ({}, {"X": LINE}, "n_neighbors is 5: it must be a whole number from 1 to 3"),
    ({"n_components": 0}, {}, "n_components is 0: it must be a whole number of at least 1"),
    ({"max_iter": 0}, {}, "max_iter is 0: it must be a whole number of at least 1"),
    ({"margin": -1}, {}, "margin is -1: it must be a finite number greater than 0"),
    ({"learning_rate": 0}, {}, "learning_rate is 0: it must be a finite number greater than 0"),
    ({"weighting": "equal"}, {}, "weighting is 'equal': choose"),
    ({"random_state": "a"}, {}, "random_state is 'a': give None, a seed from 0 on, or a generator"),
    ({"random_state": -1}, {}, "random_state is -1: give None, a seed from 0 on"),
    ({"network": Linear(4, 3)}, {}, "network gives (1, 3): n_components asks for (1, 2)"),
    ({"network": "hinton"}, {}, f"network is 'hinton': {LAYER}"),
    ({"network": [100, 100]}, {}, f"network is [100, 100]: {LAYER}"),
    ({"network": convnet}, {}, LAYER),
    ({"network": Linear}, {}, LAYER),
    ({"network": convnet()}, {"X": np.ones((9, 28, 28))}, "convnet takes images of 32×32"),
    ({"network": convnet()}, {"X": np.ones((9, 35, 35))}, "convnet takes images of 32×32"),
    ({}, {"X": 1e308 * np.sign(np.arange(9.0) - 4)[:, None]}, "X is too large for float64: divide it by its largest"),
    ({}, {"X": np.ma.masked_less(LINE, 1)}, "X has masked entries"),
    ({}, {"X": [[1, 2], [3], [4, 5]]}, "X has rows of unlike lengths: give each as many entries"),
    ({}, {"X": pandas.DataFrame({"a": DATES})}, "X has dtype datetime64["),
    ({}, {"X": None}, f"X is a NoneType: {LIST}"),
    ({}, {"X": (row for row in LINE)}, f"X is a generator: {LIST}"),
    ({}, {"y": np.zeros(30)}, "the graph needs at least one similar and one dissimilar pair"),
    ({}, {"y": np.zeros(29)}, "the numbers of samples differ (X 30, y 29)"),
    ({}, {"y": {0, 1}}, f"y is a set: {LIST}"),
    ({}, {"X": LINE[:3], "y": pandas.array([1, 2, None], dtype="Int64")}, "y has masked entries: leave them out"),
    ({}, {"y": np.repeat([-1, 1], 15)}, "y holds -1 and 1 alone, but -1 is unlabelled: give 0"),
    ({}, {"y": ["a", 1] * 15}, "y mixes labels of unlike kinds: give numbers only, or texts only"),
    ({}, {"y": np.ones(30), "similar": RING}, "y is given with pairs, all of which are similar"),
    ({}, {"y": np.ones(7), "similar": SimilarityGraph(30, RING)}, "(X 30, y 7)"),
    ({}, {"similar": [[0, 1]]}, "sample 2 is in no similar pair"),
    ({}, {"similar": coo_array(np.eye(31, k=1))}, "pair 29 is (29, 30): samples count from 0 to 29"),
]


@pytest.mark.parametrize(("parameters", "data", "line"), GIVEN)
def test_what_cannot_be_fitted_is_told_in_one_line(x, parameters, data, line):
    refuses(lambda: DrLIM(**parameters).fit(**{"X": x} | data), line)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda x: DrLIM().transform(x), "this DrLIM is not fitted: call fit first"),
        (lambda x: DrLIM().get_feature_names_out(), "this DrLIM is not fitted: call fit first"),
        (lambda x: DrLIM().save("map.npz"), "this DrLIM is not fitted: call fit first"),
        (lambda x: DrLIM().set_params(k=3), "k is no parameter of DrLIM: choose from n_components, n_neighbors"),
        (lambda x: DrLIM().set_output(transform="csv"), 'transform is \'csv\': choose "default", "pandas" or "polars"'),
        (lambda x: quick().fit(x).score(x[:1]), "X has n_samples=1: at least 3 are needed"),
        (lambda x: quick().fit(np.float32(x)).transform(1e300 * x), "sample 0 of X is too far from those of fit"),
    ],
)
def test_what_cannot_be_asked_of_it_is_told_in_one_line(x, call, line):
    refuses(lambda: call(x), line)


def test_a_fit_that_fails_leaves_no_map(x):
    model = quick().fit(x)
    refuses(lambda: model.fit(x, similar=[[0, 1]]), "sample 2 is in no similar pair")
    refuses(lambda: model.transform(x), "not fitted")
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    assert not hasattr(model, "loss_curve_")


def test_images_are_rows_to_the_default_network_and_maps_to_one_that_is_given(rng):
    images = rng.random((20, 32, 32))
    by_rows = quick().fit(images)
    assert (by_rows.embedding_ == quick().fit(images.reshape(20, -1)).embedding_).all()
    by_maps = quick(network=convnet()).fit(images)
    assert by_maps.embedding_.shape == (20, 2) and by_maps.n_features_in_ == 1024
    for same in (images[:, None], images.reshape(20, -1)):
        np.testing.assert_allclose(by_maps.transform(same), by_maps.embedding_, rtol=1e-9)


@pytest.mark.parametrize("network", [None, Linear(4, 2)], ids=["default", "given"])
def test_a_saved_one_comes_back_with_its_map_and_its_parameters(x, tmp_path, network):
    model = quick(margin=0.5, weighting="exact", network=network).fit(x)
    model.save(tmp_path / "map.npz")
    loaded = DrLIM.load(tmp_path / "map.npz", network)
    assert (loaded.transform(x) == model.transform(x)).all() and (loaded.embedding_ == model.embedding_).all()
    assert loaded.get_params() == model.get_params() | {"random_state": None}
    assert (loaded.loss_curve_ == model.loss_curve_).all() and loaded.n_features_in_ == 4
    assert loaded.n_iter_ == 5 and loaded.score(x) == model.score(x)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path, x: weights.save(path, {"W": np.zeros(3)}), "map.npz"),
        (lambda path, x: path.write_bytes(pickle.dumps(quick().fit(x))), "map.npz"),
        (lambda path, x: quick(network=Linear(4, 2)).fit(x).save(path), "give the network that it was"),
    ],
    ids=["of something else", "a pickle", "of another network"],
)
def test_a_file_that_is_no_map_of_the_default_network_is_refused(x, tmp_path, write, message):
    path = tmp_path / "map.npz"
    write(path, x)
    refuses(lambda: DrLIM.load(path), message, DataError)
