"""The descent against arithmetic done by hand, what a run promises, and what it must not be: a collapse."""

import io
import re
import sys
from functools import partial
from math import sqrt

import numpy as np
import pytest

from drlim_np.checks.numbers import told
from drlim_np.errors import DivergedError
from drlim_np.fast.blocks import Blockwise
from drlim_np.figures.collapse import NO_MARGIN
from drlim_np.graph import SimilarityGraph, pair_table
from drlim_np.layers import Linear, Sequential, Tanh
from drlim_np.loss import energy
from drlim_np.networks import CONVNET_INPUT, convnet
from drlim_np.objective import EveryPair
from drlim_np.sampled import SampledPairs
from drlim_np.training import SGD, Step, constant, cosine, descend, embed, minimise, warmup_cosine
from drlim_np.tree import leaves, tree_map
from tests.help.comparing import BOUND, assert_close, bits
from tests.help.refusals import refuses

NETWORK = Sequential(hidden=Linear(2, 8), squash=Tanh(), output=Linear(8, 2))
MARGIN = 1.0
SIZE = 12

START = {
    "hidden": {"weight": np.array([[1.0, -2.0], [0.25, 300.0]]), "bias": np.array([1e-3])},
    "scale": np.array([5.0]),
}
CURVATURE = {
    "hidden": {"weight": np.array([[0.5, 1.5], [1.0, 0.2]]), "bias": np.array([2.0])},
    "scale": np.array([0.1]),
}


def bowl(params, rng, progress):
    """Σ ½ a (w - 1)², a the curvature; its slope is a (w - 1)."""
    away = tree_map(lambda w: w - 1, params)
    loss = sum(np.sum(a * d * d / 2) for (_, a), (_, d) in zip(leaves(CURVATURE), leaves(away), strict=True))
    return np.asarray(loss), tree_map(lambda a, d: a * d, CURVATURE, away)


def ring(dtype=np.float64):
    """Samples on a circle, each similar to the next: network's first weights, inputs, graph."""
    place = np.arange(SIZE)
    x = np.stack([np.cos(2 * np.pi * place / SIZE), np.sin(2 * np.pi * place / SIZE)], axis=1).astype(dtype)
    return NETWORK.init(np.random.default_rng(0), dtype), x, SimilarityGraph.of_neighbours((place[:, None] + 1) % SIZE)


def sampled(dtype=np.float64):
    params, x, graph = ring(dtype)
    return SampledPairs(NETWORK, x, graph, MARGIN, batch=4), params


def generator(seed=0):
    return np.random.default_rng(seed)


# ---- the schedules ----


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (constant, {0: 1, 0.3: 1, 1: 1}),
        (cosine, {0: 1, 1 / 4: (2 + sqrt(2)) / 4, 1 / 3: 3 / 4, 1 / 2: 1 / 2, 2 / 3: 1 / 4, 1: 0}),
        (warmup_cosine, {0: 0, 0.1: (4 + sqrt(10 + 2 * sqrt(5))) / 16, 0.2: (5 + sqrt(5)) / 8, 2 / 3: 1 / 4, 1: 0}),
    ],
)
def test_a_schedule_is_constant_half_a_cosine_or_that_times_a_rise_over_the_first_fifth(schedule, factors):
    assert {progress: schedule(progress) for progress in factors} == pytest.approx(factors, rel=BOUND, abs=0)


# ---- gradient descent ----


@pytest.mark.line("step-2-descent")
@pytest.mark.parametrize(("schedule", "factors"), [(constant, [1, 1, 1]), (cosine, [1, 0.75, 0.25])])
@pytest.mark.parametrize("momentum", [(), (0.0,), (0.9,)], ids=["none by default", "none", "0.9"])
def test_three_steps_of_gradient_descent_are_the_arithmetic_by_hand(momentum, schedule, factors):
    def by_hand(w, a):
        v = 0.0
        for factor in factors:
            v = sum(momentum) * v + a * (w - 1)
            w = w - 0.3 * factor * v
        return w

    *_, last = descend(bowl, START, SGD(0.3, *momentum), 3, generator(), schedule)
    assert_close(last.params, tree_map(np.vectorize(by_hand, otypes=[float]), START, CURVATURE))


# ---- the descent ----


def test_each_step_comes_with_its_number_and_the_objective_before_it_and_progress_stops_short_of_1():
    seen, asked, expected, params = [], [], [], START

    def objective(params, rng, progress):
        seen.append(progress)
        return bowl(params, rng, progress)

    def schedule(progress):
        asked.append(progress)
        return 1.0

    found = list(descend(objective, START, SGD(0.3, 0.5), 4, generator(), schedule))
    for step in found:
        expected.append(float(bowl(params, None, 0.0)[0]))
        params = step.params
    assert all(isinstance(step, Step) and type(step.loss) is float for step in found)
    assert [step.number for step in found] == [1, 2, 3, 4]
    assert [step.loss for step in found] == expected
    assert seen == asked == [0.0, 0.25, 0.5, 0.75]


@pytest.mark.parametrize("given", [(), (constant,)])
@pytest.mark.parametrize("number", [float, np.float64])
def test_minimise_is_the_descent_run_to_its_end_by_half_a_cosine_unless_told_otherwise(number, given):
    objective, params = sampled(np.float32)
    optimiser = SGD(number(0.1), number(0.5))
    steps = list(descend(objective, params, optimiser, 8, generator(), *(given or [cosine])))
    assert {leaf.dtype for step in steps for _, leaf in leaves(step.params)} == {np.dtype(np.float32)}
    final, losses = minimise(objective, params, optimiser, np.uint8(8), generator(), *given, stream=io.StringIO())
    *_, last = descend(objective, params, optimiser, 8, generator(), *given)
    assert bits(final) == bits(steps[-1].params) == bits(last.params)
    assert losses.dtype == np.float64 and losses.tolist() == [step.loss for step in steps]


@pytest.mark.parametrize("optimiser", [SGD(0.1), SGD(0.1, 0.5)])
def test_no_array_is_changed_once_it_is_handed_over(optimiser):
    objective, params = sampled()
    start, seen = bits(params), []
    for step in descend(objective, params, optimiser, 5, generator()):
        seen.append((step, bits(step.params)))
    assert bits(params) == start
    assert all(bits(step.params) == then for step, then in seen)
    assert len({then[0] for _, then in seen}) == 5
    _, gradient = objective(params, generator(), 0.0)
    first, state = optimiser.update(params, gradient, optimiser.init(params), 1.0)
    before = bits(first), bits(gradient), bits(state)
    optimiser.update(first, gradient, state, 1.0)
    assert (bits(first), bits(gradient), bits(state)) == before


# ---- the line of progress ----


class Screen(io.StringIO):
    """A terminal. What is written becomes visible when it is flushed, and must be before more is written."""

    shown = ""

    def isatty(self):
        return True

    def write(self, text):
        assert self.shown == self.getvalue()
        return super().write(text)

    def flush(self):
        self.shown = self.getvalue()


EVERY_TENTH = [(10, 5.5), (20, 10.5), (30, 15.5), (40, 20.5), (50, 25.5), (60, 35.5)]


@pytest.mark.parametrize("shown", [[(10, 5.5), (20, 10.5), (25, 13)], [(3, 2)], EVERY_TENTH])
def test_a_terminal_is_shown_one_line_that_is_written_over_of_the_mean_of_fifty_steps(shown, monkeypatch):
    screen, steps = Screen(), shown[-1][0]
    monkeypatch.setattr(sys, "stderr", screen)

    def counting(params, rng, progress):  # 1 at the first step, 2 at the second, and so on
        return np.asarray(1 + steps * progress), tree_map(np.zeros_like, params)

    minimise(counting, START, SGD(0.1), steps, generator(), label="airplane")
    assert screen.getvalue() == screen.shown
    assert screen.shown.endswith("\n") and screen.shown.count("\n") == 1
    found = re.findall(rf"\rairplane: step (\d+)/{steps},[^\r]* objective ([^\s]+)", screen.shown)
    assert [(int(n), float(mean)) for n, mean in found] == shown
    assert screen.shown.startswith("\r") and screen.shown.count("\r") == len(shown)


def test_anything_but_a_terminal_is_left_silent(capsys, monkeypatch):
    stream = io.StringIO()
    minimise(bowl, START, SGD(0.1), 20, generator(), stream=stream)
    minimise(bowl, START, SGD(0.1), 20, generator())
    assert (stream.getvalue(), *capsys.readouterr()) == ("", "", "")
    monkeypatch.setattr(sys, "stderr", None)  # a process without standard error
    minimise(bowl, START, SGD(0.1), 3, generator())


# ---- divergence ----


def diverging_at(number, where, value):
    """The bowl, until `where`, the loss or a tensor by its name, holds `value` at the given step."""
    calls = []

    def objective(params, rng, progress):
        calls.append(progress)
        loss, gradient = bowl(params, rng, progress)
        if len(calls) == number:
            loss = np.array(loss)
            ({"loss": loss} | dict(leaves(gradient)))[where].flat[-1] = value
        return loss, gradient

    return objective


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["loss", "hidden.weight", "hidden.bias", "scale"])
def test_divergence_is_reported_with_its_step_and_tensor_and_the_steps_before_it_stand(where, value):
    named = f"{'the objective' if where == 'loss' else f'the gradient of {where}'} is not finite at step 3"
    steps = descend(diverging_at(3, where, value), START, SGD(0.1), 5, generator())
    assert [next(steps).number, next(steps).number] == [1, 2]
    refuses(lambda: next(steps), f"{named}: lower the learning rate, or look for NaN in the data", DivergedError)


def test_the_line_is_named_and_ended_even_if_the_run_diverges():
    screen = Screen()
    with pytest.raises(DivergedError):
        minimise(diverging_at(15, "loss", np.nan), START, SGD(0.1), 20, generator(), stream=screen)
    assert "training: step 10/20" in screen.shown and screen.shown.endswith("\n")


@pytest.mark.parametrize(("optimiser", "step"), [(SGD(1e300), 1), (SGD(1e-300, 0.9), 6)])
def test_what_becomes_of_the_weights_must_be_finite_too(optimiser, step):
    named = f"the new value of hidden.weight is not finite at step {step}: lower the learning rate"

    def steep(params, rng, progress):
        return np.asarray(1.0), tree_map(lambda w: np.full_like(w, 4e307), params)

    with np.errstate(over="ignore"):
        refuses(lambda: list(descend(steep, START, optimiser, 50, generator(), constant)), named, DivergedError)


# ---- what is refused ----


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


def descent(n, rng):
    return list(descend(bowl, START, SGD(0.1), n, rng))


minimised = partial(minimise, bowl, START, SGD(0.1))


WHOLE = "it must be a whole number of at least 1"
NO_NUMBERS = ["3", None, 1j, [0.1], np.array([0.1])]
REFUSED = [
    *((partial(run, n, generator()), f"steps is {n!r}: {WHOLE}") for run in (descent, minimised)
      for n in (0, -1, 2.5, 2.0, "3", None, np.int64(0), np.float64(3))),
    *((partial(run, 3, rng), f"rng is {rng!r}: give a generator, such as numpy.random.default_rng(0)")
      for run in (descent, minimised) for rng in (0, None, np.random, np.random.RandomState(0))),
    *((partial(SGD, value), f"rate is {told(value)}: it must be a finite number greater than 0")
      for value in [*NO_NUMBERS, 0, 0.0, -1e-3, np.nan, np.inf]),
    *((partial(SGD, 0.1, value), f"momentum is {told(value)}: it must be a number") for value in NO_NUMBERS),
    *((partial(SGD, 0.1, v), f"momentum is {v}: it must be in [0, 1)") for v in (1, 1.0, 1.5, -0.1, np.nan)),
    *((partial(minimised, 3, generator(), stream=stream), f"stream is {stream!r}: pass an open text file")
      for stream in ("progress.txt", 2, closed())),
    *((partial(embed, NETWORK, ring()[0], ring()[1], b), f"block is {b!r}: {WHOLE}") for b in (0, -3, 2.5, "4")),
    (lambda: embed(NETWORK, ring()[0], ring()[1].tolist()), "expected an array, got list"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_no_training_can_be_made_of_is_refused(call, message):
    refuses(call, message)


# ---- what is learned ----


@pytest.mark.parametrize("optimiser", [SGD(0.5), SGD(0.2, 0.9)])
@pytest.mark.parametrize("form", [EveryPair, SampledPairs])
def test_learning_lowers_the_objective(optimiser, form):
    params, x, graph = ring()
    every = EveryPair(NETWORK, x, graph, MARGIN, "balanced")
    final, _ = minimise(form(NETWORK, x, graph, MARGIN, "balanced"), params, optimiser, 150, generator())
    assert every(final, None, 1.0)[0] < 0.6 * every(params, None, 1.0)[0]


def energies(z, graph):
    """Of the similar and of the dissimilar pairs."""
    i, j, y = pair_table(graph)
    d = energy(z[i], z[j])
    return d[y == 0], d[y == 1]


@pytest.mark.line("collapse")
def test_attraction_alone_collapses_to_a_point_and_both_terms_do_not():
    params, x, graph = ring()
    before = np.mean(energies(embed(NETWORK, params, x), graph)[1])
    both, alone = EveryPair(NETWORK, x, graph, MARGIN), EveryPair(NETWORK, x, graph, NO_MARGIN, "balanced")
    collapsed, _ = minimise(alone, params, SGD(0.6, 0.9), 400, generator())
    assert max(d.max() for d in energies(embed(NETWORK, collapsed, x), graph)) < 1e-2 * before

    mapped, _ = minimise(both, params, SGD(0.3, 0.9), 400, generator())
    similar, dissimilar = energies(embed(NETWORK, mapped, x), graph)
    assert similar.max() < MARGIN
    assert dissimilar.mean() > 0.8 * MARGIN
    assert similar.max() < dissimilar.mean()


# ---- the map of a set ----


@pytest.mark.parametrize("block", [1, 4, 5, 9, np.int64(10), 1024])
def test_embedding_in_blocks_is_the_network_at_once(block):
    params, x = ring()[0], np.random.default_rng(0).standard_normal((10, 2))
    before = bits(params, x)
    at_once, sizes = NETWORK(params, x)[0], []

    def network(params, x):
        sizes.append(len(x))
        return NETWORK(params, x)

    z = embed(network, params, x, block)
    assert z.shape == (10, 2) and np.linalg.norm(z - at_once) <= BOUND * np.linalg.norm(at_once)
    assert sum(sizes) == 10 and max(sizes) <= block
    assert bits(params, x) == before


NETWORKS = [(NETWORK, (2,)), (Blockwise(NETWORK, size=3), (2,)), (convnet(), CONVNET_INPUT)]


@pytest.mark.parametrize(("network", "shape"), NETWORKS, ids=["small", "in blocks", "convnet"])
def test_no_samples_are_embedded_as_no_points(network, shape):
    z = embed(network, network.init(generator(), np.float32), np.zeros((0, *shape), np.float32))
    assert z.shape == (0, 2) and z.dtype == np.float32
