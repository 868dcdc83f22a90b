"""The drawn figures, read back from their axes and held against the paper and the data they were made from."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle, Rectangle

from drlim_np.data import Digits, Split
from drlim_np.data.canvas import on_canvas
from drlim_np.data.handwriting import generate
from drlim_np.errors import DataError
from drlim_np.figures import digits as learning
from drlim_np.figures import figure1, figure3, figure4
from drlim_np.figures import sheet_handwriting as sheet
from drlim_np.figures.digits import LOOKS, draw_at_random
from drlim_np.layers import Conv2d, Flatten, Linear, Sequential, Subsample, Tanh
from drlim_np.measure import metrics
from drlim_np.runs.index import DIGITS, FIGURES
from drlim_np.runs.record import Run, publish
from drlim_np.training import embed, minimise

PER_CLASS, STEPS = 60, 5


def without_digits():
    raise AssertionError("this figure needs no digits")


BARE = Run(seed=0, quick=False, threads=1, digits=without_digits, views=None)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def failing(result):
    return [claim.text for claim in result.claims if not claim.holds]


# ---- Figure 1 ----


@pytest.fixture(scope="module")
def curves():
    """Figure 1 and its two curves: the similar, the dissimilar."""
    result = figure1.make(BARE)
    similar, dissimilar = (line for line in result.figure.axes[0].get_lines() if len(line.get_xdata()) > 2)
    return result, similar, dissimilar


def test_figure_1_draws_equation_4(curves):
    result, similar, dissimilar = curves
    m = result.settings["margin"]
    for line, loss in ((similar, lambda d: d**2 / 2), (dissimilar, lambda d: max(0, m - d) ** 2 / 2)):
        d, drawn = line.get_data()
        np.testing.assert_allclose(drawn, [loss(x) for x in d], rtol=1e-12, atol=1e-15)
        assert d[0] == 0
        assert d[-1] > 1.5 * m
        assert m in d


def test_figure_1_shows_l_s_in_dashed_red_and_l_d_in_solid_blue(curves):
    _, similar, dissimilar = curves
    assert (similar.get_linestyle(), dissimilar.get_linestyle()) == ("--", "-")
    for line, strong in ((similar, 0), (dissimilar, 2)):
        colour = to_rgb(line.get_color())
        assert colour[strong] > 0.6
        assert all(part <= colour[strong] - 0.2 for channel, part in enumerate(colour) if channel != strong)


def test_figure_1_names_each_curve_in_its_own_looks(curves):
    result, similar, dissimilar = curves
    legend = result.figure.axes[0].get_legend()
    for line, handle, text in zip((similar, dissimilar), legend.get_lines(), legend.get_texts(), strict=True):
        assert handle.get_linestyle() == line.get_linestyle()
        assert handle.get_color() == line.get_color()
        assert text.get_text().startswith("similar, $Y = 0$" if line is similar else "dissimilar, $Y = 1$")


def test_figure_1_marks_the_margin_where_l_d_becomes_zero(curves):
    result, similar, dissimilar = curves
    axes = result.figure.axes[0]
    (mark,) = (line for line in axes.get_lines() if line not in (similar, dissimilar))
    d, drawn = dissimilar.get_data()
    assert list(mark.get_xdata()) == [d[drawn == 0][0]] * 2
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "½ m", "m"]
    assert axes.get_xticks()[2] == d[drawn == 0][0]


def test_figure_1_claims_hold_and_rest_on_no_data(curves):
    result, *_ = curves
    assert len(result.claims) == 5
    assert not failing(result)
    assert (result.data, result.arrays) == (None, None)


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
def test_figure_1_with_a_wrong_loss_fails_the_claim_about_it(monkeypatch, name, wrong, broken):
    monkeypatch.setattr(figure1, name, wrong)
    assert any(text.startswith(broken) for text in failing(figure1.make(BARE)))


# ---- Figure 3 ----


@pytest.fixture(scope="module")
def architecture(small, digits):
    run = run_on(digits, quick=True)
    return figure3.make(run), figure4.trained(run, "balanced")


def test_figure_3_shows_the_sizes_and_kernels_of_the_paper(architecture):
    drawn = texts(architecture[0].figure.axes[0])
    assert drawn[:10:2] == ["input", "layer 1", "layer 2", "layer 3", "output"]
    assert [text.split("\n") for text in drawn[1:10:2]] == [
        ["32×32", ""],
        ["15×27×27", "convolutions", "6×6"],
        ["15×9×9", "subsampling", "3×3"],
        ["30×1×1", "convolutions", "9×9"],
        ["2×1×1", "fully", "connected"],
    ]
    assert [text for text in drawn[10:] if text] == ["same $W$"] * 3


def test_figure_3_draws_what_the_trained_layers_make_of_an_unseen_4_and_an_unseen_9(architecture, digits):
    result, of_4 = architecture
    axes = result.figure.axes[0]
    shown = [np.asarray(image.get_array()) for image in axes.images]
    assert len(shown) == 2 * (1 + 15 + 15 + 30)
    labels = digits.test.labels[of_4.test]
    for digit, tower in ((4, shown[:61]), (9, shown[61:])):
        of = of_4.unseen[labels == digit]
        (typical,) = (image for image in of if (image[0] == tower[0]).all())
        apart = np.linalg.norm((of - of.mean(axis=0)).reshape(len(of), -1), axis=1)
        assert np.linalg.norm(typical - of.mean(axis=0)) == pytest.approx(apart.min())
        x, at = typical[None], 1
        for name, layer in of_4.network.network.layers.items():
            x, _ = layer(of_4.params[name], x)
            if isinstance(layer, Tanh):
                for values in x[0]:
                    np.testing.assert_array_equal(tower[at], values)
                    at += 1
        assert at == 61
    assert sum(isinstance(patch, Circle) for patch in axes.patches) == 4


def test_figure_3_joins_the_receptive_field_of_the_strongest_unit_to_it(architecture):
    axes = architecture[0].figure.axes[0]
    field, unit = (patch for patch in axes.patches if isinstance(patch, Rectangle))
    digit, first = axes.images[0], axes.images[1]
    left, _, _, top = digit.get_extent()
    pixel = figure3.SIDES[0] / 32
    row, column = round((top - field.get_y()) / pixel) - 6, round((field.get_x() - left) / pixel)
    assert (field.get_width(), field.get_height()) == pytest.approx((6 * pixel, 6 * pixel))
    values = np.asarray(first.get_array())
    assert values[row, column] == values.max()
    at = first.get_extent()
    assert (unit.get_x() - at[0]) / unit.get_width() == pytest.approx(column)
    assert (at[3] - unit.get_y()) / unit.get_height() == pytest.approx(row + 1)


def test_figure_3_counts_the_trainable_numbers(architecture):
    counts = {"C1": 15 * 36 + 15, "S2": 15 + 15, "C3": 30 * 15 * 81 + 30, "F4": 2 * 30 + 2}
    result, _ = architecture
    assert {name: stage["parameters"] for name, stage in result.measured.items()} == counts
    assert f"{sum(counts.values()):,}" in result.figure.texts[1].get_text()


def test_figure_3_claims_hold_and_name_the_data(architecture, digits):
    result, _ = architecture
    assert len(result.claims) == 7
    assert not failing(result)
    assert result.data is digits and digits.title in result.figure.texts[1].get_text()


def test_figure_3_shows_another_network_as_it_is():
    other = Sequential(
        C1=Conv2d(channels=1, maps=4, kernel=5),
        squash1=Tanh(),
        S2=Subsample(maps=4, window=2),
        C3=Conv2d(channels=4, maps=6, kernel=13),
        squash3=Tanh(),
        flatten=Flatten(),
        F4=Linear(24, 3),
    )
    image = np.zeros((1, 32, 32), np.float32)
    tower = figure3.stages(other, other.init(np.random.default_rng(0)), image)
    assert [stage.shape for stage in tower] == [(4, 28, 28), (4, 14, 14), (6, 2, 2), (3,)]
    drawn = texts(figure3.draw([image] * 2, [tower] * 2, 7, "none").axes[0])
    assert drawn[3:8:2] == ["4×28×28\nconvolutions\n5×5", "4×14×14\nsubsampling\n2×2", "6×2×2\nconvolutions\n13×13"]


# ---- digits drawn at random ----


def with_some_1s(split):
    labels = split.labels.copy()
    labels[::12] = 1
    return replace(split, labels=labels)


@pytest.fixture(scope="module")
def digits():
    """Handwriting with more 4s and 9s to train on than Figure 4 takes here, and images of another class among them."""
    whole = generate(1, train=(75, 75), test=(45, 50))
    return replace(whole, train=with_some_1s(whole.train), test=with_some_1s(whole.test))


def with_labels(labels):
    split = Split(np.zeros((len(labels), 28, 28), np.uint8), np.array(labels, np.uint8))
    return Digits("idx-1a2b3c4d", "IDX data 1a2b3c4d", split, split, {})


def test_as_many_of_each_class_are_drawn_as_asked_for_and_none_twice():
    digits = with_labels([4, 9, 1] * 20)
    for per_class in (1, 7, 20):
        rows = draw_at_random(digits, digits.train, per_class, np.random.default_rng(0))
        assert len(set(rows.tolist())) == 2 * per_class
        assert np.bincount(digits.train.labels[rows]).nonzero()[0].tolist() == [4, 9]
        assert np.sum(digits.train.labels[rows] == 4) == per_class


def test_the_draw_is_shuffled_and_follows_the_generator():
    digits = with_labels([4] * 30 + [9] * 30)
    one, again, other = (
        draw_at_random(digits, digits.train, 20, np.random.default_rng(seed)).tolist() for seed in (0, 0, 1)
    )
    assert one == again != other
    assert set(one) != set(other)
    assert one != sorted(one)
    assert 0 < sum(row < 30 for row in one[:20]) < 20


def test_without_a_number_all_4s_and_9s_come_in_file_order():
    digits = with_labels([9, 0, 4, 9, 5, 4])
    assert draw_at_random(digits, digits.test, None, np.random.default_rng(0)).tolist() == [0, 2, 3, 5]


@pytest.mark.parametrize(
    ("labels", "per_class", "named"),
    [
        ([4, 4, 4, 9, 9], 3, "2 images labelled 9, 3 needed"),
        ([4, 9, 9, 9], 2, "1 images labelled 4, 2 needed"),
        ([4, 4, 1], None, "0 images labelled 9, 1 needed"),
    ],
)
def test_too_few_of_a_class_is_an_error_that_names_data_class_and_counts(labels, per_class, named):
    digits = with_labels(labels)
    with pytest.raises(DataError) as caught:
        draw_at_random(digits, digits.train, per_class, np.random.default_rng(0))
    assert str(caught.value).startswith(f"IDX data 1a2b3c4d has {named}")
    assert str(caught.value).isprintable()


# ---- Figure 4 ----


@pytest.fixture(scope="module")
def small():
    """Figure 4 shrunk to what a test can afford."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure4, "TRAIN_PER_CLASS", PER_CLASS)
        short = {form: replace(training, steps=STEPS) for form, training in figure4.TRAINING.items()}
        patch.setattr(figure4, "TRAINING", short)
        patch.setattr(figure4, "QUICK", {"train_per_class": 20, "test_per_class": 15, "steps": 2})
        yield


def run_on(digits, **changes):
    return Run(**({"seed": 0, "quick": False, "threads": 1, "digits": lambda: digits, "views": None} | changes))


@pytest.fixture(scope="module")
def learned():
    """What `learn` was given and returned, filled by `balanced`."""
    return {}


@pytest.fixture(scope="module")
def balanced(small, digits, learned):
    learn = figure4.learn

    def remember(x, similar, *others):
        network, params, losses = learn(x, similar, *others)
        learned.update(x=x, similar=similar, network=network, params=params)
        return network, params, losses

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure4, "learn", remember)
        return FIGURES["figure4"](run_on(digits))


@pytest.fixture(scope="module")
def exact(small, digits):
    return FIGURES["figure4-exact"](run_on(digits))


WEIGHTINGS = pytest.mark.parametrize("weighting", ["balanced", "exact"])


def test_figure_4_counts_its_pairs(balanced, exact):
    samples = 2 * PER_CLASS
    for result in (balanced, exact):
        listed, together = result.claims[:2]
        assert (listed.value, listed.relation, listed.bound) == (5 * samples, "=", 5 * samples)
        assert (together.value, together.relation, together.bound) == (
            samples * (samples - 1) / 2,
            "=",
            samples * (samples - 1) / 2,
        )


def test_figure_4_claims_follow_from_what_was_measured(balanced):
    ours, pca = balanced.measured["drlim"], balanced.measured["pca"]
    accuracy, slant, unevenness = figure4.BOUNDS["balanced", False]
    assert [(claim.value, claim.relation, claim.bound) for claim in balanced.claims[2:]] == [
        (ours["accuracy"], "≥", accuracy),
        (ours["slant_r2"], "≥", slant),
        (ours["slant_r2"], "≥", pca["slant_r2"]),
        (ours["unevenness"], "≤", unevenness),
        (ours["trustworthiness"], "≥", pca["trustworthiness"]),
    ]


@WEIGHTINGS
def test_figure_4_measures_the_map_that_it_saves(weighting, request, digits):
    result = request.getfixturevalue(weighting)
    z, index = result.arrays["embedding"], result.arrays["index"]
    labels, slant = digits.test.labels[index], metrics.slant(digits.test.images[index])
    pixels = digits.test.images[index].reshape(len(index), -1) / 255
    assert result.measured["drlim"] == pytest.approx(
        {
            "accuracy": metrics.accuracy(z, labels),
            "slant_r2": metrics.regression_r2(z, slant),
            "unevenness": metrics.unevenness(z),
            "trustworthiness": metrics.trustworthiness(pixels, z),
            "known_slant_r2": metrics.regression_r2(z, digits.test.truth["slant"][index]),
        }
    )
    pca = metrics.pca(pixels)
    assert result.measured["pca"]["accuracy"] == pytest.approx(metrics.accuracy(pca, labels))
    assert result.measured["pca"]["trustworthiness"] == pytest.approx(metrics.trustworthiness(pixels, pca))


def test_figure_4_saves_what_colours_the_plot(balanced, digits):
    arrays = balanced.arrays
    assert arrays["index"].tolist() == [row for row, label in enumerate(digits.test.labels) if label in (4, 9)]
    np.testing.assert_array_equal(arrays["label"], digits.test.labels[arrays["index"]])
    np.testing.assert_array_equal(arrays["slant"], metrics.slant(digits.test.images[arrays["index"]]))
    assert arrays["embedding"].shape == (len(arrays["index"]), 2)
    assert arrays["embedding"].dtype == np.float32
    assert arrays["objective"].shape == (STEPS,)


@pytest.mark.parametrize("make", [figure4.make, figure4.make_exact])
def test_figure_4_is_trained_with_the_settings_that_it_records(make, small, digits, monkeypatch):
    trained = {}

    def remember(objective, start, optimiser, steps, *others, **options):
        trained.update(margin=objective.margin, batch=objective.batch, weighting=objective.weighting)
        trained.update(rate=optimiser.rate, steps=steps)
        return minimise(objective, start, optimiser, steps, *others, **options)

    monkeypatch.setattr(learning, "minimise", remember)
    recorded = make(run_on(digits, quick=True)).settings
    assert trained == {name: recorded[name] for name in trained}
    assert len(trained) == 5


def test_figure_4_trains_on_training_digits_only(balanced, digits, learned):
    seen = {image.tobytes() for image in learned["x"]}
    train, test = ({image.tobytes() for image in on_canvas(s.images)} for s in (digits.train, digits.test))
    assert len(seen) == 2 * PER_CLASS
    assert seen <= train
    assert not seen & test


def test_figure_4_maps_the_unseen_digits_by_the_trained_network(balanced, digits, learned):
    z = balanced.arrays["embedding"]
    unturned = embed(learned["network"], learned["params"], on_canvas(digits.test.images[balanced.arrays["index"]]))
    for one, other in combinations(range(0, len(z), 7), 2):
        assert np.linalg.norm(z[one] - z[other]) == pytest.approx(
            np.linalg.norm(unturned[one] - unturned[other]), rel=1e-3
        )


def test_figure_4_adds_up_the_loss_of_every_training_pair(balanced, learned):
    z = embed(learned["network"], learned["params"], learned["x"]).astype(float)
    similar, margin = learned["similar"], balanced.settings["margin"]
    d = np.linalg.norm(z[:, None] - z, axis=2)
    listed = sum(d[i, j] ** 2 / 2 for i, j in similar.pairs)
    joined = {frozenset(pair) for pair in similar.pairs.tolist()}
    others = [pair for pair in combinations(range(len(z)), 2) if frozenset(pair) not in joined]
    total = listed + sum(max(0, margin - d[pair]) ** 2 / 2 for pair in others)
    assert balanced.measured["loss_over_all_training_pairs"] == pytest.approx(total, rel=1e-4)
    assert balanced.measured["dissimilar_pairs"] == len(others)
    assert balanced.measured["similar_pairs_distinct"] == len(joined)


@WEIGHTINGS
def test_figure_4_is_turned_so_that_slant_grows_to_the_right_and_9s_lie_on_top(weighting, request):
    arrays = request.getfixturevalue(weighting).arrays
    z, slant, nine = arrays["embedding"].astype(float), arrays["slant"], arrays["label"] == 9
    (right, up), *_ = np.linalg.lstsq(z, slant - slant.mean(), rcond=None)
    assert right > 0
    assert abs(up) < 1e-3 * right
    assert z[nine, 1].mean() > z[~nine, 1].mean()


@pytest.mark.parametrize("turn", [0.0, 1.0, 2.5, 4.0, 5.5])
@pytest.mark.parametrize("mirrored", [1, -1])
def test_any_turn_and_mirror_image_of_a_map_is_drawn_the_same(turn, mirrored):
    rng = np.random.default_rng(0)
    z, label = rng.standard_normal((50, 2)), rng.choice([4, 9], 50)
    slant = z[:, 0] + 0.1 * rng.standard_normal(50)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    turned = z @ rotation * [1, mirrored] + np.array([3, -2])
    as_it_comes = {"F4": {"weight": np.eye(2), "bias": np.zeros(2)}}
    drawn = [Linear(2, 2)(figure4.turned(as_it_comes, one, slant, label)["F4"], one)[0] for one in (turned, z)]
    np.testing.assert_allclose(*drawn, atol=1e-12)
    assert np.linalg.norm(drawn[0].mean(axis=0)) < 1e-12


def test_balanced_and_exact_map_the_same_digits_differently(balanced, exact):
    np.testing.assert_array_equal(balanced.arrays["index"], exact.arrays["index"])
    assert np.abs(balanced.arrays["embedding"] - exact.arrays["embedding"]).max() > 1e-3
    assert balanced.settings["dissimilar_weight"] == 1
    listed = 5 * 2 * PER_CLASS
    assert exact.settings["dissimilar_weight"] == pytest.approx(exact.measured["dissimilar_pairs"] / listed)
    assert (balanced.settings["weighting"], exact.settings["weighting"]) == ("balanced", "exact")


def published(result, run, folder):
    """The bytes of the figure's files, without the record of this one run."""
    folder.mkdir()
    publish("figure4", result, run, 1.0, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "metrics.json"}


def test_figure_4_made_twice_from_one_seed_gives_the_same_bytes(balanced, small, digits, tmp_path):
    run = run_on(digits)
    first = published(balanced, run, tmp_path / "first")
    assert len(first) == 4
    assert published(figure4.make(run), run, tmp_path / "second") == first


def test_figure_4_does_not_depend_on_the_number_of_threads(balanced, small, digits):
    again = figure4.make(run_on(digits, threads=3))
    assert set(again.arrays) == set(balanced.arrays)
    for name, array in balanced.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array, strict=True)


def test_figure_4_of_another_seed_is_another(balanced, small, digits):
    other = figure4.make(run_on(digits, seed=1))
    assert not np.allclose(other.arrays["embedding"], balanced.arrays["embedding"], atol=1e-3)


@pytest.fixture(scope="module")
def quick(small, digits):
    return figure4.make(run_on(digits, quick=True))


def test_a_quick_figure_4_takes_fewer_digits_and_steps_and_looser_bounds(balanced, quick, digits):
    assert (quick.settings["train"], quick.settings["test"], quick.settings["steps"]) == (40, 30, 2)
    assert np.bincount(digits.test.labels[quick.arrays["index"]]).tolist() == [0] * 4 + [15] + [0] * 4 + [15]
    assert len(set(quick.arrays["index"].tolist())) == 30
    np.testing.assert_array_equal(quick.arrays["label"], digits.test.labels[quick.arrays["index"]])
    assert quick.claims[0].bound == 5 * 40
    strict, loose = ({claim.text: claim.bound for claim in result.claims} for result in (balanced, quick))
    for words, sign in (("accuracy", 1), ("organised by slant", 1), ("evenly spread", -1)):
        (text,) = (text for text in strict if words in text)
        assert sign * loose[text] < sign * strict[text]


@pytest.mark.parametrize(("name", "judged"), [("idx-1a2b3c4d", False), ("mnist", True)])
def test_the_quality_of_the_map_is_claimed_of_known_digits_only(name, judged, small, digits):
    scanned = Split(digits.test.images, digits.test.labels)
    result = figure4.make(run_on(replace(digits, name=name, test=scanned), quick=True))
    assert len(result.claims) == (7 if judged else 2)
    assert set(result.measured["drlim"]) == {"accuracy", "slant_r2", "unevenness", "trustworthiness"}


def test_figure_4_names_its_data_its_size_and_its_weighting(small, digits, balanced, exact):
    size = len(balanced.arrays["index"])
    for result, word in ((balanced, "balanced"), (exact, "exact")):
        said = f"{size} unseen digits, generated handwriting, {word} weighting"
        assert result.figure.texts[1].get_text().startswith(said)
    other = figure4.make(run_on(replace(digits, title="IDX data 1a2b3c4d"), quick=True))
    assert "30 unseen digits, IDX data 1a2b3c4d" in other.figure.texts[1].get_text()


def test_figure_4_shows_each_class_in_a_colour_and_a_marker_of_its_own(balanced):
    by_class, by_slant, *_ = balanced.figure.axes
    z, label = balanced.arrays["embedding"], balanced.arrays["label"]
    for axes in (by_class, by_slant):
        fours, nines = axes.collections
        np.testing.assert_array_equal(fours.get_offsets(), z[label == 4])
        np.testing.assert_array_equal(nines.get_offsets(), z[label == 9])
        assert len(fours.get_paths()[0].vertices) != len(nines.get_paths()[0].vertices)
    for cloud, digit in zip(by_class.collections, (4, 9), strict=True):
        assert tuple(cloud.get_facecolor()[0][:3]) == to_rgb(LOOKS[digit][0])
    assert to_rgb(LOOKS[4][0]) != to_rgb(LOOKS[9][0])
    assert [text.get_text() for text in by_class.get_legend().get_texts()] == ["4", "9"]


def test_figure_4_colours_the_second_map_by_slant_on_one_scale(balanced):
    _, by_slant, bar, *_ = balanced.figure.axes
    slant, label = balanced.arrays["slant"], balanced.arrays["label"]
    fours, nines = by_slant.collections
    np.testing.assert_array_equal(fours.get_array(), slant[label == 4])
    np.testing.assert_array_equal(nines.get_array(), slant[label == 9])
    assert fours.get_clim() == nines.get_clim()
    assert bar.get_xlim() == pytest.approx(fours.get_clim())
    assert "by slant" in texts(by_slant) and texts(bar) == ["left", "right"]


def test_each_thumbnail_of_figure_4_shows_the_digit_at_its_point_in_the_colour_of_its_class(balanced, digits):
    axes = balanced.figure.axes[0]
    z, index, label = (balanced.arrays[name] for name in ("embedding", "index", "label"))
    place = {tuple(point): sample for sample, point in enumerate(z)}
    points = [tuple(line.get_xydata()[0]) for line in axes.get_lines() if len(line.get_xdata()) == 2]
    assert len(points) == len(axes.images) == len(axes.patches) > 3
    for point, image, frame in zip(points, axes.images, axes.patches, strict=True):
        sample = place[point]
        np.testing.assert_array_equal(image.get_array(), digits.test.images[index[sample]])
        assert frame.get_edgecolor()[:3] == to_rgb(LOOKS[label[sample]][0])


def test_all_of_figure_4_lies_within_its_axes(balanced):
    for axes in balanced.figure.axes[:2]:
        low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
        for corners in [balanced.arrays["embedding"], *(frame.get_bbox().get_points() for frame in axes.patches)]:
            assert (corners >= low - 1e-6).all()
            assert (corners <= high + 1e-6).all()
        width, height = axes.get_position().size * balanced.figure.get_size_inches()
        assert (high - low)[1] / (high - low)[0] == pytest.approx(height / width)


def test_figure_4_prints_its_numbers_beside_those_of_pca(balanced):
    printed = balanced.figure.texts[1].get_text()
    for name in ("accuracy", "slant_r2", "trustworthiness", "unevenness"):
        ours, pca = (f"{balanced.measured[side][name]:.3f}" for side in ("drlim", "pca"))
        assert f"{ours} ({pca})" in printed


@pytest.mark.parametrize("make", [figure4.make, figure4.make_exact])
@pytest.mark.parametrize(("name", "wanted"), [("train", 76), ("test", 51)])
def test_figure_4_says_where_4s_and_9s_are_too_few(small, monkeypatch, digits, make, name, wanted):
    monkeypatch.setitem(figure4.QUICK, f"{name}_per_class", wanted)
    with pytest.raises(DataError, match=f"generated handwriting has .* labelled 4, {wanted} needed"):
        make(run_on(digits, quick=True))


@pytest.mark.parametrize("make", [figure4.make, figure4.make_exact])
def test_a_short_training_already_keeps_the_claims_of_a_quick_figure_4(monkeypatch, make):
    monkeypatch.setattr(figure4, "QUICK", {"train_per_class": 400, "test_per_class": 150, "steps": 150})
    result = make(run_on(generate(1, train=(400, 400), test=(150, 150)), quick=True))
    assert len(result.claims) > 5
    assert not failing(result)


# ---- together ----


def test_every_figure_that_needs_digits_is_marked():
    assert {"figure4", "figure4-exact"} <= DIGITS <= set(FIGURES)
    for name in ("figure1", "figure2"):
        assert name not in DIGITS
        assert FIGURES[name](BARE).claims


@pytest.mark.parametrize("name", ["figure1", "figure2"])
def test_figures_1_and_2_are_the_same_bytes_for_every_seed(name, tmp_path):
    one, other = (published(FIGURES[name](BARE), replace(BARE, seed=seed), tmp_path / str(seed)) for seed in (0, 1))
    assert one == other


# ---- the sheet of generated handwriting ----


@pytest.fixture(scope="module")
def written(digits):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheet.handwriting, "generate", lambda memory: generate(0, train=(150, 150), test=(1, 1)))
        return sheet.make(BARE), sheet.handwriting.generate(None).train


def test_the_sheet_shows_4s_and_9s_of_the_training_set_upright(written):
    result, train = written
    for axes, digit in zip(result.figure.axes, (4, 9), strict=False):
        (shown,) = axes.get_images()
        tiles = shown.get_array().reshape(sheet.WRITTEN, 28, sheet.ACROSS, 28).swapaxes(1, 2).reshape(-1, 28, 28)
        of_digit = {image.tobytes() for image in train.images[train.labels == digit]}
        assert len({tile.tobytes() for tile in tiles} & of_digit) == sheet.WRITTEN * sheet.ACROSS
        assert axes.get_ylabel().startswith(str(digit))


def test_each_row_of_the_sheet_varies_what_it_says(written):
    result, _ = written
    rows = {axes.get_ylabel().split()[0]: axes.get_images()[0].get_array() for axes in result.figure.axes[2:]}
    assert list(rows) == ["slant", "width", "openness", "roundness"]
    slants = metrics.slant(rows["slant"].reshape(28, sheet.ACROSS, 28).swapaxes(0, 1))
    assert (np.diff(slants) > 0).all()
    assert slants[0] < -0.2 and slants[-1] > 0.5


def test_the_sheet_claims_hold_and_name_the_handwriting(written):
    result, _ = written
    assert not failing(result)
    assert result.data.name == "handwriting"
