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
from drlim_np.errors import DataError, InputError
from drlim_np.estimator import drlim, inputs
from drlim_np.estimator.inputs import similar_among
from drlim_np.files import weights
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Linear
from drlim_np.measure.metrics import accuracy, same_label_neighbours, share_within, shift_ratio, silhouette
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
    z, _ = model.network_(model.weights_, (unseen - x.mean(axis=0)) / (x - x.mean(axis=0)).std())
    np.testing.assert_allclose(model.transform(unseen), z, rtol=1e-12)
    np.testing.assert_allclose(model.transform(x), model.embedding_, rtol=1e-12)


def test_the_unit_and_the_origin_of_the_input_do_not_matter(x):
    np.testing.assert_allclose(DrLIM(**QUICK).fit(1000 * x - 7).embedding_, DrLIM(**QUICK).fit(x).embedding_, rtol=1e-6)


COLUMNS = {"a time in seconds": 1.7e9, "a year": 2006, "a million": 1e6, "one that rounds": 0.1, "a huge one": 1e300}


@pytest.mark.parametrize("value", COLUMNS.values(), ids=COLUMNS.keys())
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_feature_with_one_value_has_no_effect(x, value, dtype):
    x, value = x.astype(dtype), min(value, float(np.finfo(dtype).max))
    wider = np.insert(x, 2, value, axis=1)
    with_it, without = DrLIM(**QUICK).fit(wider), DrLIM(**QUICK).fit(x)
    assert (with_it.embedding_ == without.embedding_).all()
    assert (with_it.transform(np.insert(x, 2, 5, axis=1)) == without.transform(x)).all()


SCALES = [1e-300, 1e-200, 1e-30, 1e30, 1e200, 1e307]


@pytest.mark.parametrize("scale", SCALES)
def test_data_of_any_scale_have_the_same_map(x, scale):
    power = np.exp2(np.floor(np.log2(scale)))  # so that nothing is rounded
    np.testing.assert_allclose(DrLIM(**QUICK).fit(x * power).embedding_, DrLIM(**QUICK).fit(x).embedding_, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-36, 1e-30, 1e30, 1e36])
def test_float32_of_any_scale_has_the_same_map(x, scale):
    power, x = np.float32(np.exp2(np.floor(np.log2(scale)))), x.astype(np.float32)
    np.testing.assert_allclose(DrLIM(**QUICK).fit(x * power).embedding_, DrLIM(**QUICK).fit(x).embedding_, rtol=1e-4)


@pytest.mark.parametrize("far", [1e6, 1e9])
def test_rows_far_from_0_have_the_map_of_rows_around_it(x, far):
    grid = np.round(x * 1024) / 1024  # which float64 holds far from 0 too
    there, here = (DrLIM(**QUICK).fit(rows).embedding_ for rows in (grid + far, grid))
    np.testing.assert_allclose(there, here, atol=1e-6)


def test_the_input_of_the_network_is_centred_and_of_variance_1(x):
    images = np.random.default_rng(0).random((20, 32, 32)) * 255 + np.linspace(0, 1e4, 32)
    with mock.patch.object(drlim, "SampledPairs", wraps=SampledPairs) as asked:
        DrLIM(network=convnet(), **QUICK).fit(images)
    seen = asked.call_args.args[1]
    assert seen.mean(axis=0) == pytest.approx(0, abs=1e-12) and seen.std() == pytest.approx(1)


def test_what_is_learned_has_the_shapes_that_are_promised(x):
    model = DrLIM(3, **QUICK).fit(x)
    assert model.embedding_.shape == (30, 3) and model.loss_curve_.shape == (5,) and model.n_features_in_ == 4
    assert model.get_feature_names_out().tolist() == ["drlim0", "drlim1", "drlim2"]


@pytest.mark.parametrize("state", [0, np.random.default_rng(0)])
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
    stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})  # of a notebook: no terminal
    monkeypatch.setattr(sys, "stderr", notebook := stream())
    DrLIM(verbose=1, **QUICK).fit(x)
    assert "DrLIM: step 5/5" in notebook.getvalue()


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


RING = np.stack([np.arange(30), np.roll(np.arange(30), 1)], axis=1)


@pytest.mark.parametrize(
    "similar", [RING, RING.tolist(), SimilarityGraph(30, RING), coo_array((np.ones(30), RING.T)).tocsr()[:, :]]
)
def test_pairs_are_taken_as_a_list_as_a_graph_and_as_the_entries_of_a_sparse_matrix(x, similar):
    assert (np.sort(graph_of_fit(x, similar=similar).pairs, axis=0) == np.sort(RING, axis=0)).all()


def test_a_graph_goes_before_the_labels_that_a_pipeline_brings(x):
    assert (graph_of_fit(x, np.arange(30) % 2, similar=SimilarityGraph(30, RING)).pairs == RING).all()


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
    np.array(["2006-06-17", "2006-06-18", "NaT"], "datetime64[D]"),
    pandas.Series([True, False, None], dtype="boolean"),
]


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: type(gap).__name__)
def test_a_missing_label_is_refused_by_its_sample(gap):
    line = np.arange(3.0)[:, None]
    refuses(lambda: DrLIM().fit(line, gap), "sample 2 of y holds NaN, infinite or missing values: remove it")
    for measure in (accuracy, same_label_neighbours, silhouette, shift_ratio, share_within):
        refuses(lambda measure=measure: measure(np.eye(3)[:, :2], gap), "sample 2 of ")


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "datetime64[ns]", "object", "boolean"])
def test_a_missing_value_of_a_table_is_refused_by_its_sample(dtype):
    column = pandas.Series([1, 0, None, 1], dtype=dtype)
    for table in (column.to_frame(), pandas.DataFrame({"a": [1.0, 2, 3, 4], "b": column})):
        with pytest.raises(InputError) as fault:
            DrLIM().fit(table)
        assert "sample 2 of X" in str(fault.value) or "X holds dates" in str(fault.value)


def test_dates_and_texts_are_refused_in_one_line():
    dates = pandas.DataFrame({"a": pandas.to_datetime(["2006-06-17", "2006-06-18", "2006-06-19"])})
    refuses(lambda: DrLIM().fit(dates), "X holds dates: give numbers")
    for kind, other in ((TypeError, dates["a"]), (ValueError, ["a", "b", "c"])):
        mixed = pandas.DataFrame({"a": [1.0, 2, 3], "b": other})
        refuses(lambda mixed=mixed: DrLIM().fit(mixed), "X must hold real numbers", kind)


def test_samples_labelled_minus_1_are_unlabelled_as_for_scikit_learns_semi_supervised_estimators():
    line = np.array([[0.0], [1.0], [3.0], [8.0], [9.0]])
    for unlabelled in ([0, 0, -1, 1, 1], [0.0, 0, -1, 1, 1]):
        assert edges(similar_among(line, unlabelled, n_neighbors=2)) == {(0, 1), (3, 4), (1, 2), (0, 2)}
    assert edges(similar_among(line, [-1, 0, 0, 1, -1], n_neighbors=1)) == {(0, 1), (1, 2), (3, 4)}
    assert LabelSpreading().fit(line, [-1, 0, 0, 1, -1]).classes_.tolist() == [0, 1]


def test_labels_alone_ask_for_no_neighbours(x):
    assert DrLIM(**QUICK).fit(x[:4], [0, 0, 1, 1]).embedding_.shape == (4, 2)


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
    assert "n_neighbors=7, margin=2.0, network=None" in repr(DrLIM(margin=2.0, n_neighbors=7))


def test_a_table_comes_out_where_one_is_asked_for(x):
    table = pandas.DataFrame(x, index=np.arange(30) + 100)
    model = DrLIM(**QUICK)
    plain = model.fit_transform(table)
    assert isinstance(plain, np.ndarray)
    for container in (model.set_output(transform="pandas"), clone(model)):
        z = container.fit_transform(table)
        assert z.columns.tolist() == ["drlim0", "drlim1"] and z.index.tolist() == table.index.tolist()
        np.testing.assert_allclose(z.to_numpy(), plain)
    assert isinstance(model.set_output(transform=None).transform(table), pandas.DataFrame)
    assert isinstance(model.set_output(transform="default").transform(table), np.ndarray)
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(clone(DrLIM(**QUICK)).fit_transform(x), pandas.DataFrame)
    assert isinstance(model.set_output(transform="pandas").fit_transform(x.tolist()), pandas.DataFrame)


def test_a_table_of_polars_comes_out_where_one_is_asked_for(x):
    polars = pytest.importorskip("polars")
    table = polars.DataFrame(x, schema=list("abcd"))
    model = DrLIM(**QUICK).set_output(transform="polars").fit(table)
    assert model.transform(table).columns == ["drlim0", "drlim1"] and model.feature_names_in_.tolist() == list("abcd")
    with sklearn.config_context(transform_output="polars"):
        assert isinstance(DrLIM(**QUICK).fit_transform(x), polars.DataFrame)


def test_a_container_that_is_not_installed_is_named(x, monkeypatch):
    monkeypatch.setattr("drlim_np.estimator.conventions.find_spec", lambda name: None)
    refuses(lambda: DrLIM(**QUICK).set_output(transform="polars").fit_transform(x), "polars is not installed: pip")


def test_a_search_keeps_the_kind_of_output(x):
    model = make_pipeline(StandardScaler(), DrLIM(**QUICK)).set_output(transform="pandas")
    search = GridSearchCV(model, {"drlim__margin": [0.5, 1.0]}, cv=2).fit(x)
    assert search.transform(x).columns.tolist() == ["drlim0", "drlim1"]


def test_pairs_reach_it_through_a_pipeline_by_metadata_routing(x):
    graph = SimilarityGraph(30, RING)
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(StandardScaler(), DrLIM(**QUICK).set_fit_request(similar=True))
        routed = clone(model).fit(x, similar=graph)[-1].embedding_
        with pytest.raises(TypeError, match="similar"):
            make_pipeline(DrLIM(**QUICK).set_fit_request(similar=False)).fit(x, similar=graph)
    assert (routed == DrLIM(**QUICK).fit(StandardScaler().fit_transform(x), similar=graph).embedding_).all()


def test_a_table_with_other_columns_than_at_fit_is_refused_in_scikit_learns_words(x, tmp_path):
    table = pandas.DataFrame(x, columns=list("abcd"))
    fitted = DrLIM(**QUICK).fit(table)
    fitted.save(tmp_path / "map.npz")
    for model in (fitted, DrLIM.load(tmp_path / "map.npz")):
        assert model.feature_names_in_.tolist() == list("abcd")
        assert (model.transform(table) == fitted.embedding_).all()
        for call in (model.transform, model.score):
            refuses(lambda call=call: call(table[list("bacd")]), "must be in the same order as they were in fit")
            refuses(lambda call=call: call(table.rename(columns={"a": "e"})), "passed during fit: ['a', 'e']")
    mixed = table.rename(columns={"a": 1})
    refuses(lambda: DrLIM(**QUICK).fit(mixed), "X has feature names that are texts and others")


def test_images_with_other_axes_than_at_fit_are_refused(rng, tmp_path):
    images = rng.random((20, 16, 8))
    fitted = DrLIM(**QUICK).fit(images)
    fitted.save(tmp_path / "map.npz")
    for model in (fitted, DrLIM.load(tmp_path / "map.npz")):
        for other in (images.transpose(0, 2, 1), images[:, None].transpose(0, 2, 3, 1), images.reshape(20, 2, 8, 8)):
            refuses(lambda model=model, other=other: model.transform(other), "but fit was given (1, 16, 8)")
        for same in (images, images[:, None], images.reshape(20, -1)):
            np.testing.assert_allclose(model.transform(same), fitted.embedding_, rtol=1e-9)
    refuses(lambda: DrLIM(**QUICK).fit(images.reshape(20, -1)).transform(images), "but fit was given (128,)")


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda x: DrLIM().transform(x), "this DrLIM is not fitted: call fit first"),
        (lambda x: DrLIM().set_params(k=3), "k is no parameter of DrLIM: choose from n_components, n_neighbors"),
        (lambda x: DrLIM().set_output(transform="csv"), 'transform is \'csv\': choose "default", "pandas" or "polars"'),
        (lambda x: DrLIM(n_neighbors=29).fit(x), "n_neighbors is 29: it must be a whole number from 1 to 28"),
        (lambda x: DrLIM(n_components=0).fit(x), "n_components is 0: it must be a whole number of at least 1"),
        (lambda x: DrLIM(max_iter=0).fit(x), "max_iter is 0: it must be a whole number of at least 1"),
        (lambda x: DrLIM(margin=-1).fit(x), "margin is -1: it must be a finite number greater than 0"),
        (lambda x: DrLIM(weighting="equal").fit(x), "weighting is 'equal': choose"),
        (
            lambda x: DrLIM(network=Linear(4, 3)).fit(x),
            "network gives (1, 3): n_components asks for (1, 2)",
        ),
        (lambda x: DrLIM().fit(x, similar=[[0, 1]]), "sample 2 is in no similar pair"),
        (lambda x: DrLIM().fit(x, np.zeros(30)), "the graph needs at least one similar and one dissimilar pair"),
        (lambda x: DrLIM().fit(x, np.zeros(29)), "the numbers of samples differ (X 30, y 29)"),
        (lambda x: DrLIM().fit(1e308 * np.sign(x)), "X is too large for float64: divide it by its largest value"),
        (lambda x: DrLIM().fit(np.ma.masked_less(x, 0)), "X has masked entries"),
        (lambda x: DrLIM().fit([[1, 2], [3], [4, 5]]), "X has rows of unlike lengths: give each as many entries"),
        (lambda x: DrLIM().fit(None), "X is a NoneType: give an array"),
        (lambda x: DrLIM().fit(row for row in x), "X is a generator: give an array, or a list as list() makes"),
        (lambda x: DrLIM().fit(2**60 + np.arange(9)[:, None]), "X is int64 and holds numbers that float64 does not"),
        (lambda x: DrLIM().fit(x, {0, 1}), "y is a set: give an array, or a list as list() makes"),
        (lambda x: DrLIM().fit(x, similar=[[0], [1, 2]]), "pairs has rows of unlike lengths"),
        (lambda x: DrLIM(random_state="a").fit(x), "random_state is 'a': give None, a seed from 0 on, or a generator"),
        (lambda x: DrLIM(random_state=-1).fit(x), "random_state is -1: give None, a seed from 0 on"),
        (lambda x: DrLIM(learning_rate=0).fit(x), "learning_rate is 0: it must be a finite number greater than 0"),
        (lambda x: DrLIM(network="hinton").fit(x), "network is 'hinton': give a layer of drlim_np.layers, such as"),
        (lambda x: DrLIM(network=[100, 100]).fit(x), "network is [100, 100]: give a layer"),
        (lambda x: DrLIM(network=convnet).fit(x), "give a layer of drlim_np.layers, such as networks.convnet()"),
        (lambda x: DrLIM(network=Linear).fit(x), "give a layer of drlim_np.layers"),
        (lambda x: DrLIM(network=convnet()).fit(np.tile(x[:, :1, None], (1, 28, 28))), "convnet takes images of 32×32"),
        (lambda x: DrLIM(network=convnet()).fit(np.tile(x[:, :1, None], (1, 35, 35))), "convnet takes images of 32×32"),
        (lambda x: DrLIM().get_feature_names_out(), "this DrLIM is not fitted: call fit first"),
        (lambda x: DrLIM().fit(x[:6]), "n_neighbors is 5: it must be a whole number from 1 to 4"),
        (lambda x: DrLIM(**QUICK).fit(x).score(x[:1]), "X has n_samples=1: at least 3 are needed"),
        (
            lambda x: DrLIM(**QUICK).fit(np.float32(x)).transform(1e300 * x),
            "sample 0 of X is too far from those of fit",
        ),
        (
            lambda x: DrLIM().fit(x[:3], pandas.array([1, 2, None], dtype="Int64")),
            "y has masked entries: leave them out",
        ),
        (lambda x: DrLIM().fit(x, np.ones(30), similar=RING), "y is given with pairs, all of which are similar"),
        (lambda x: DrLIM().fit(x, np.ones(7), similar=RING[:7]), "y is given with pairs, all of which are similar"),
        (lambda x: DrLIM().fit(x, np.ones(7), similar=SimilarityGraph(30, RING)), "(X 30, y 7)"),
        (lambda x: DrLIM().fit(x, np.repeat([-1, 1], 15)), "y holds -1 and 1 alone, and -1 means unlabelled: give 0"),
        (lambda x: DrLIM().fit(x, np.repeat([-1.0, 1.0], 15)), "y holds -1 and 1 alone"),
        (lambda x: DrLIM().fit(x, ["a", 1] * 15), "y mixes labels of unlike kinds: give numbers only, or texts only"),
        (
            lambda x: DrLIM().fit(x, similar=coo_array(np.eye(29))),
            "similar has shape (29, 29): a sparse matrix must be",
        ),
        (lambda x: DrLIM().fit(x, similar=coo_array(np.eye(30))), "pair 0 joins sample 0 with itself"),
        (lambda x: DrLIM().fit(x, similar={(0, 1)}), "pairs is a set: give an array, or a list as list() makes"),
        (lambda x: DrLIM().fit(x, similar={0: 1}), "pairs is a dict: give an array, or a list as list() makes"),
        (lambda x: DrLIM().fit(x, similar=zip(*RING.T, strict=True)), "pairs is a zip: give an array, or a list"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(x, call, line):
    refuses(lambda: call(x), line)


def test_a_fit_that_fails_leaves_no_map(x):
    model = DrLIM(**QUICK).fit(x)
    refuses(lambda: model.fit(x, similar=[[0, 1]]), "sample 2 is in no similar pair")
    refuses(lambda: model.transform(x), "not fitted")
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    assert not hasattr(model, "loss_curve_")


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
