"""Figures 1, 3 and 4, read back from their axes and held against the paper and the data they were made from."""

import sys
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from drlim_np.backend import to_host
from drlim_np.data import Digits, Split, handwriting, on_canvas, rendering
from drlim_np.data.handwriting import generate
from drlim_np.drawing.style import BLUE, LOOKS, RED
from drlim_np.errors import DataError
from drlim_np.fast.devices import device_of, origin
from drlim_np.figures import Result, Train, figure1, figure2, figure3, figure4, figure8
from drlim_np.figures import digits as learning
from drlim_np.figures.digits import draw_at_random
from drlim_np.graph import SimilarityGraph
from drlim_np.layers import Linear, Tanh
from drlim_np.measure import metrics
from drlim_np.runs.record import drawn
from drlim_np.training import embed, minimise
from drlim_np.tree import tree_map
from tests.help.comparing import bits
from tests.help.drawings import content, failing, texts
from tests.help.refusals import refuses

PER_CLASS, STEPS = 60, 5
FULL, QUICK = Train(), Train(quick=True)


@pytest.fixture(scope="module")
def curves():
    """Figure 1 and its two curves: the similar, the dissimilar."""
    result = figure1.make(None, FULL)
    return result, *(line for line in result.drawing.axes[0].get_lines() if len(line.get_xdata()) > 2)


def test_figure_1_draws_equation_4_l_s_in_dashed_red_and_l_d_in_solid_blue_and_names_them(curves):
    result, *lines = curves
    m, legend = result.settings["margin"], result.drawing.axes[0].get_legend()
    expected = [
        (lambda d: d**2 / 2, "--", RED, "similar, $Y = 0$"),
        (lambda d: max(0, m - d) ** 2 / 2, "-", BLUE, "dissimilar, $Y = 1$"),
    ]
    shown = zip(lines, expected, legend.get_lines(), legend.get_texts(), strict=True)
    for line, (loss, style, colour, words), handle, text in shown:
        d, drawn = line.get_data()
        np.testing.assert_allclose(drawn, [loss(x) for x in d], rtol=1e-12, atol=1e-15)
        assert d[0] == 0 and d[-1] > 1.5 * m and m in d
        assert line.get_linestyle() == handle.get_linestyle() == style
        assert line.get_color() == handle.get_color() == colour and text.get_text().startswith(words)


def test_figure_1_marks_the_margin_where_l_d_becomes_zero(curves):
    axes = curves[0].drawing.axes[0]
    (mark,) = (line for line in axes.get_lines() if line not in curves)
    d, drawn = curves[2].get_data()
    assert [*mark.get_xdata(), axes.get_xticks()[2]] == [d[drawn == 0][0]] * 3


@pytest.mark.parametrize(
    ("name", "wrong", "broken"),
    [
        ("similar_loss", lambda d: -d * d / 2, "L_S rises"),
        ("similar_loss", lambda d: (1 + d * d) / 2, "L_S is 0 at D = 0"),
        ("dissimilar_loss", lambda d, m: (m - d) ** 2 / 2, "L_D is 0 from m on"),
        ("dissimilar_loss", lambda d, m: np.maximum(0, 1.1 * m - d) ** 2 / 2, "L_D is 0 from m on"),
        ("dissimilar_loss", lambda d, m: np.maximum(0, m - d) ** 2, "L_D is ½m² at D = 0"),
        ("dissimilar_loss", lambda d, m: np.where(d < m, d * (m - d), 0), "L_D falls"),
    ],
)
def test_figure_1s_claims_hold_and_with_a_wrong_loss_that_about_it_fails(curves, monkeypatch, name, wrong, broken):
    assert len(curves[0].claims) == 5 and not failing(curves[0].claims)
    monkeypatch.setattr(figure1, name, wrong)
    assert any(text.startswith(broken) for text in failing(figure1.make(None, FULL).claims))


@pytest.mark.parametrize("module", [figure1, figure2])
def test_figures_1_and_2_are_the_same_bytes_each_time_and_for_every_seed(module):
    assert content(module.make(None, FULL)) == content(module.make(None, Train(seed=1)))


@pytest.fixture(scope="module")
def architecture(small, digits):
    return figure3.make(digits, QUICK), *figure4.trained(digits, QUICK, "balanced")


@pytest.mark.line("fig-3")
def test_figure_3_shows_the_sizes_and_kernels_of_the_paper(architecture, digits):
    result, *_ = architecture
    drawn = [text.replace("\n", " ") for text in texts(result.drawing.axes[0]) if text]
    expected = ["input", "32×32 ", "layer 1", "15×27×27 convolutions 6×6", "layer 2", "15×9×9 subsampling 3×3"]
    expected += ["layer 3", "30×1×1 convolutions 9×9", "output", "2×1×1 fully connected", *["same $W$"] * 3]
    assert drawn == expected
    counts = {"C1": 15 * 36 + 15, "S2": 15 + 15, "C3": 30 * 15 * 81 + 30, "F4": 2 * 30 + 2}
    assert {name: stage["parameters"] for name, stage in result.measured.items()} == counts
    words = result.drawing.texts[1].get_text()
    assert f"{sum(counts.values()):,}" in words and digits.title in words
    assert len(result.claims) == 7 and not failing(result.claims) and result.data is digits


def test_figure_3_draws_what_the_trained_layers_make_of_an_unseen_4_and_an_unseen_9(architecture, digits):
    result, found, unseen = architecture
    axes = result.drawing.axes[0]
    shown = [np.asarray(image.get_array()) for image in axes.images]
    assert len(shown) == 2 * (1 + 15 + 15 + 30)
    for digit, tower in ((4, shown[:61]), (9, shown[61:])):
        of = on_canvas(digits.test.images[unseen.rows[digits.test.labels[unseen.rows] == digit]])
        (typical,) = (image for image in of if (image[0] == tower[0]).all())
        apart = np.linalg.norm((of - of.mean(axis=0)).reshape(len(of), -1), axis=1)
        assert np.linalg.norm(typical - of.mean(axis=0)) == pytest.approx(apart.min())
        x, maps = typical[None], []
        for name, layer in found.network.network.layers.items():
            x, _ = layer(found.params[name], x)
            maps += [*x[0]] if isinstance(layer, Tanh) else []
        assert all(np.array_equal(drawn, values) for drawn, values in zip(tower[1:], maps, strict=True))
    assert sum(isinstance(patch, Circle) for patch in axes.patches) == 4


def test_figure_3_joins_the_receptive_field_of_the_strongest_unit_to_it(architecture):
    axes = architecture[0].drawing.axes[0]
    field, unit = (patch for patch in axes.patches if isinstance(patch, Rectangle))
    digit, first = axes.images[0], axes.images[1]
    left, _, _, top = digit.get_extent()
    pixel = figure3.SIDES[0] / 32
    row, column = round((top - field.get_y()) / pixel) - 6, round((field.get_x() - left) / pixel)
    assert (field.get_width(), field.get_height()) == pytest.approx((6 * pixel, 6 * pixel))
    values, at = np.asarray(first.get_array()), first.get_extent()
    assert values[row, column] == values.max()
    assert (unit.get_x() - at[0]) / unit.get_width() == pytest.approx(column)
    assert (at[3] - unit.get_y()) / unit.get_height() == pytest.approx(row + 1)


def draw(labels, per_class, seed=0):
    split = Split(np.zeros((len(labels), 28, 28), np.uint8), np.array(labels, np.uint8))
    digits = Digits("idx-1a2b3c4d", "IDX data 1a2b3c4d", split, split, {})
    return draw_at_random(digits, split, per_class, np.random.default_rng(seed)).tolist()


@pytest.mark.line("sec-3-2-digits")
def test_as_many_of_each_class_are_drawn_as_asked_for_and_none_twice():
    labels = np.array([4, 9, 1] * 20)
    for per_class in (1, 7, 20):
        rows = draw(labels, per_class)
        assert len(set(rows)) == 2 * per_class
        assert sorted(labels[rows]) == [4] * per_class + [9] * per_class


def test_the_draw_is_shuffled_and_follows_the_generator_and_without_a_number_all_come_in_file_order():
    one, again, other = (draw([4] * 30 + [9] * 30, 20, seed) for seed in (0, 0, 1))
    assert one == again != other and set(one) != set(other) and one != sorted(one)
    assert 0 < sum(row < 30 for row in one[:20]) < 20
    assert draw([9, 0, 4, 9, 5, 4], None) == [0, 2, 3, 5]


@pytest.mark.parametrize(
    ("labels", "per_class", "named"),
    [
        ([4, 4, 4, 9, 9], 3, "2 images labelled 9, 3 needed"),
        ([4, 9, 9, 9], 2, "1 images labelled 4, 2 needed"),
        ([4, 4, 1], None, "0 images labelled 9, 1 needed"),
    ],
)
def test_too_few_of_a_class_is_an_error_that_names_data_class_and_counts(labels, per_class, named):
    refuses(lambda: draw(labels, per_class), f"IDX data 1a2b3c4d has {named}", DataError)


@pytest.fixture(scope="module")
def digits():
    """Handwriting with more 4s and 9s to train on than Figure 4 takes here, and images of another class among them."""
    whole = generate(1, train=(75, 75), test=(45, 50))
    for split in (whole.train, whole.test):
        split.labels[::12] = 1
    return whole


@pytest.fixture(scope="module")
def small():
    """Figure 4 shrunk to what a test can afford."""
    short = {form: replace(training, steps=STEPS) for form, training in figure4.TRAINING.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure4, "TRAIN_PER_CLASS", PER_CLASS)
        patch.setattr(figure4, "TRAINING", short)
        patch.setattr(figure4, "QUICK", (20, 15, 2))
        yield


@pytest.fixture(scope="module")
def learned(small, digits):
    """G_W of `balanced`, as training left it."""
    return figure4.trained(digits, FULL, "balanced")[0]


@pytest.fixture(scope="module")
def balanced(small, digits):
    return figure4.make(digits, FULL)


@pytest.fixture(scope="module")
def exact(small, digits):
    return figure4.make_exact(digits, FULL)


@pytest.fixture(params=["balanced", "exact"])
def either(request):
    return request.getfixturevalue(request.param)


MAKES = pytest.mark.parametrize("make", [figure4.make, figure4.make_exact])


@pytest.mark.line("step-1-neighbours")
def test_figure_4_counts_its_pairs(either):
    samples, together = 2 * PER_CLASS, PER_CLASS * (2 * PER_CLASS - 1)
    counted = [(claim.value, claim.relation, claim.bound) for claim in either.claims[:2]]
    assert counted == [(5 * samples, "=", 5 * samples), (together, "=", together)]


def test_figure_4_claims_follow_from_what_was_measured(balanced):
    ours, pca = balanced.measured["drlim"], balanced.measured["pca"]
    accuracy, slant, unevenness = figure4.BOUNDS["balanced"]
    rows = [("accuracy", "≥", accuracy), ("slant_r2", "≥", slant), ("slant_r2", "≥", pca["slant_r2"])]
    rows += [("unevenness", "≤", unevenness), ("trustworthiness", "≥", pca["trustworthiness"])]
    expected = [(ours[name], relation, bound) for name, relation, bound in rows]
    assert [(claim.value, claim.relation, claim.bound) for claim in balanced.claims[2:]] == expected


def test_figure_4_saves_what_colours_the_plot_and_measures_the_map_that_it_saves(either, digits):
    z, index = either.arrays["embedding"], either.arrays["index"]
    labels, slant = digits.test.labels[index], metrics.slant(digits.test.images[index])
    np.testing.assert_array_equal(index, np.flatnonzero(np.isin(digits.test.labels, (4, 9))))
    np.testing.assert_array_equal(either.arrays["label"], labels)
    np.testing.assert_array_equal(either.arrays["slant"], slant)
    assert (z.shape, z.dtype, either.arrays["objective"].shape) == ((len(index), 2), np.float32, (STEPS,))
    pixels = digits.test.images[index].reshape(len(index), -1) / 255
    for name, place in (("drlim", z), ("pca", metrics.pca(pixels))):
        expected = {"accuracy": metrics.accuracy(place, labels), "slant_r2": metrics.regression_r2(place, slant)}
        expected |= {"unevenness": metrics.unevenness(place)}
        expected |= {"trustworthiness": metrics.trustworthiness(pixels, place)}
        if name == "drlim":
            expected["known_slant_r2"] = metrics.regression_r2(z, digits.test.truth["slant"][index])
        assert either.measured[name] == pytest.approx(expected)


@MAKES
def test_figure_4_is_trained_with_the_settings_that_it_records(make, small, digits, monkeypatch):
    trained = {}

    def remember(objective, start, optimiser, steps, *others):
        trained.update(margin=objective.margin, batch=objective.batch, weighting=objective.weighting)
        trained.update(rate=optimiser.rate, momentum=optimiser.momentum, steps=steps)
        return minimise(objective, start, optimiser, steps, *others)

    monkeypatch.setattr(learning, "minimise", remember)
    recorded = make(digits, QUICK).settings
    assert trained == {name: recorded[name] for name in trained}


def test_figure_4_trains_on_training_digits_only(balanced, digits, learned):
    seen = {image.tobytes() for image in learned.x}
    train, test = ({image.tobytes() for image in on_canvas(s.images)} for s in (digits.train, digits.test))
    assert len(seen) == 2 * PER_CLASS
    assert seen <= train and not seen & test


@pytest.mark.line("requirement-unseen")
def test_figure_4_maps_the_unseen_digits_by_the_trained_network(balanced, digits, learned):
    z, unseen = balanced.arrays["embedding"], on_canvas(digits.test.images[balanced.arrays["index"]])
    unturned = embed(learned.network, learned.params, unseen)
    for one, other in combinations(range(0, len(z), 7), 2):
        far = np.linalg.norm(unturned[one] - unturned[other])
        assert np.linalg.norm(z[one] - z[other]) == pytest.approx(far, rel=1e-3)
    np.testing.assert_array_equal(embed(learned.network, balanced.weights, unseen), z)


def test_figure_4_adds_up_the_loss_of_every_training_pair(balanced, learned):
    z = embed(learned.network, learned.params, learned.x).astype(float)
    graph, margin = learned.graph, balanced.settings["margin"]
    d = np.linalg.norm(z[:, None] - z, axis=2)
    listed = sum(d[i, j] ** 2 / 2 for i, j in graph.pairs)
    joined = {frozenset(pair) for pair in graph.pairs.tolist()}
    others = [pair for pair in combinations(range(len(z)), 2) if frozenset(pair) not in joined]
    total = listed + sum(max(0, margin - d[pair]) ** 2 / 2 for pair in others)
    assert balanced.measured["loss_over_all_training_pairs"] == pytest.approx(total, rel=1e-4)
    assert balanced.measured["dissimilar_pairs"] == len(others)
    assert balanced.measured["similar_pairs_distinct"] == len(joined)


def test_figure_4_is_turned_so_that_slant_grows_to_the_right_and_9s_are_on_top(either):
    z, slant, nine = either.arrays["embedding"].astype(float), either.arrays["slant"], either.arrays["label"] == 9
    (right, up), *_ = np.linalg.lstsq(z, slant - slant.mean(), rcond=None)
    assert right > 0 and abs(up) < 1e-3 * right
    assert z[nine, 1].mean() > z[~nine, 1].mean()


@pytest.mark.parametrize("turn", [0.0, 1.0, 2.5, 4.0, 5.5])
@pytest.mark.parametrize("mirrored", [1, -1])
def test_any_turn_and_mirror_image_of_a_map_is_drawn_the_same(turn, mirrored):
    rng = np.random.default_rng(0)
    z, label = rng.standard_normal((50, 2)), rng.choice([4, 9], 50)
    slant = z[:, 0] + 0.1 * rng.standard_normal(50)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    moved = z @ rotation * [1, mirrored] + np.array([3, -2])
    as_it_comes = {"F4": {"weight": np.eye(2), "bias": np.zeros(2)}}
    drawn = [Linear(2, 2)(figure4.turned(as_it_comes, one, slant, label)["F4"], one)[0] for one in (moved, z)]
    np.testing.assert_allclose(*drawn, atol=1e-12)
    assert np.linalg.norm(drawn[0].mean(axis=0)) < 1e-12


def test_balanced_and_exact_map_the_same_digits_differently(balanced, exact):
    assert np.abs(balanced.arrays["embedding"] - exact.arrays["embedding"]).max() > 1e-3
    ratio = exact.measured["dissimilar_pairs"] / (5 * 2 * PER_CLASS)
    assert (balanced.settings["weighting"], balanced.settings["dissimilar_weight"]) == ("balanced", 1)
    assert (exact.settings["weighting"], exact.settings["dissimilar_weight"]) == ("exact", pytest.approx(ratio))


def test_figure_4_is_the_same_bytes_from_one_seed_on_other_threads_and_others_from_another(balanced, small, digits):
    assert content(figure4.make(digits, Train(threads=3))) == content(balanced)
    other = figure4.make(digits, Train(seed=1))
    assert not np.allclose(other.arrays["embedding"], balanced.arrays["embedding"], atol=1e-3)


def test_a_quick_figure_4_takes_fewer_digits_and_steps_and_looser_bounds(balanced, digits):
    quick = figure4.make(digits, QUICK)
    assert (quick.settings["train"], quick.settings["test"], quick.settings["steps"]) == (40, 30, 2)
    index = quick.arrays["index"].tolist()
    assert sorted(digits.test.labels[index]) == [4] * 15 + [9] * 15
    assert len(set(index)) == 30
    np.testing.assert_array_equal(quick.arrays["label"], digits.test.labels[index])
    loose = {claim.text: claim.bound for claim in quick.claims}
    for claim in balanced.claims[2:]:
        assert "PCA" in claim.text or claim.relation == ("≥" if loose[claim.text] < claim.bound else "≤")


@pytest.mark.parametrize(("name", "claims"), [("idx-1a2b3c4d", 2), ("mnist", 7)])
def test_the_quality_of_the_map_is_claimed_of_known_digits_only(name, claims, small, digits):
    scanned = Split(digits.test.images, digits.test.labels)
    result = figure4.make(replace(digits, name=name, title="scanned digits", test=scanned), QUICK)
    assert len(result.claims) == claims
    assert set(result.measured["drlim"]) == {"accuracy", "slant_r2", "unevenness", "trustworthiness"}
    assert result.drawing.texts[1].get_text().startswith("30 unseen digits, scanned digits, balanced weighting\n")


def test_figure_4_names_its_data_size_and_weighting_and_prints_its_numbers_next_to_those_of_pca(either):
    printed, size = either.drawing.texts[1].get_text(), len(either.arrays["index"])
    assert printed.startswith(f"{size} unseen digits, generated handwriting, {either.settings['weighting']} weighting")
    for name in ("accuracy", "slant_r2", "trustworthiness", "unevenness"):
        ours, pca = (f"{either.measured[side][name]:.3f}" for side in ("drlim", "pca"))
        assert f"{ours} ({pca})" in printed


def test_figure_4_shows_each_class_in_its_own_colour_and_marker_and_the_second_map_by_slant_on_one_scale(balanced):
    by_class, by_slant, bar, *_ = balanced.drawing.axes
    z, label, slant = (balanced.arrays[name] for name in ("embedding", "label", "slant"))
    for digit, one, other in zip((4, 9), by_class.collections, by_slant.collections, strict=True):
        np.testing.assert_array_equal(one.get_offsets(), z[label == digit])
        np.testing.assert_array_equal(other.get_offsets(), z[label == digit])
        np.testing.assert_array_equal(other.get_array(), slant[label == digit])
        assert tuple(one.get_facecolor()[0][:3]) == to_rgb(LOOKS[digit][0])
        assert other.get_clim() == pytest.approx(bar.get_xlim())
        assert len(one.get_paths()[0].vertices) == len(other.get_paths()[0].vertices)
    assert [text.get_text() for text in by_class.get_legend().get_texts()] == ["4", "9"]
    assert "by slant" in texts(by_slant) and texts(bar) == ["left", "right"]


def test_each_thumbnail_of_figure_4_shows_the_digit_at_its_point_in_the_colour_of_its_class(balanced, digits):
    axes = balanced.drawing.axes[0]
    z, index, label = (balanced.arrays[name] for name in ("embedding", "index", "label"))
    place = {tuple(point): sample for sample, point in enumerate(z)}
    samples = [place[tuple(line.get_xydata()[0])] for line in axes.get_lines() if len(line.get_xdata()) == 2]
    assert len(samples) > 3
    for sample, image, frame in zip(samples, axes.images, axes.patches, strict=True):
        np.testing.assert_array_equal(image.get_array(), digits.test.images[index[sample]])
        assert frame.get_edgecolor()[:3] == to_rgb(LOOKS[label[sample]][0])


def test_figure_4_says_where_unseen_4s_and_9s_are_too_few(small, monkeypatch, digits):
    monkeypatch.setattr(figure4, "QUICK", (20, 12, 2))
    message = "generated handwriting has 24 test images labelled 4 or 9, 25 needed: use MNIST"
    refuses(lambda: figure4.make(digits, QUICK), message, DataError)


@MAKES
def test_a_short_training_already_keeps_the_claims_of_a_quick_figure_4(monkeypatch, make):
    monkeypatch.setattr(figure4, "QUICK", (200, 150, 80))
    result = make(generate(1, train=(200, 200), test=(150, 150)), QUICK)
    assert len(result.claims) > 5 and not failing(result.claims)


def test_digits_are_learned_on_the_device_from_the_weights_and_batches_of_the_host(standin, monkeypatch):
    starts, maps, courses = [], [], []
    monkeypatch.setattr(learning, "minimise", lambda *args: starts.append(args[1]) or minimise(*args))
    rng = np.random.default_rng(1)
    x, unseen = rng.random((24, 1, 32, 32), np.float32), rng.random((5, 1, 32, 32), np.float32)
    graph = SimilarityGraph(24, np.stack([np.arange(24), (np.arange(24) + 1) % 24], axis=1))
    for backend in ("numpy", "cupy"):
        given = x, graph, learning.Training(3, batch=8), np.random.default_rng(0), Train(backend=backend)
        learned = learning.learn("a few", *given)
        z = embed(learned.network, learned.params, unseen)
        maps.append(z - z.mean(axis=0))  # the loss leaves it open where a map is: the last bias's gradient is rounding
        courses.append(learned.losses)
    assert bits(tree_map(to_host, starts[1])) == bits(starts[0])
    np.testing.assert_allclose(courses[1], courses[0], rtol=1e-4)
    assert type(maps[1]) is np.ndarray
    assert np.linalg.norm(maps[1] - maps[0]) < 1e-3 * np.linalg.norm(maps[0])


def test_the_record_of_a_figure_names_the_device(standin):
    ours = drawn("", Result(Figure(), []), Train(), 1.0, pictured=False).entry
    theirs = drawn("", Result(Figure(), []), Train(backend="cupy"), 1.0, pictured=False).entry
    assert (ours["machine"]["backend"], ours["machine"]["device"]) == ("numpy", "cpu")
    assert (theirs["machine"]["backend"], theirs["machine"]["device"]) == ("cupy", device_of(origin("cupy")))
    assert theirs["versions"]["cupy"] == sys.modules["cupy"].__version__ and "cupy" not in ours["versions"]


@pytest.mark.parametrize("model", [pytest.param("gpu", marks=pytest.mark.gpu)], indirect=True)
@pytest.mark.parametrize(("module", "data"), [(figure4, handwriting), (figure8, rendering)])
def test_every_claim_of_a_whole_figure_holds_when_trained_on_the_gpu(module, data, model):
    assert failing(module.make(data.generate(), Train(threads=2, backend="cupy")).claims) == []
