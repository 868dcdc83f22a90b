"""Proofs by exact numbers and derivations hold, and the proofs refute each wrong gradient alone."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest

from drlim_np.audit import catalogue, exact, pairs, proof, wrong
from drlim_np.audit.derived import is_gradient, symbols
from drlim_np.audit.numbers import drawn_like
from drlim_np.audit.numbers import exact as exactly
from drlim_np.layers import Linear, Tanh
from drlim_np.loss import contrastive
from drlim_np.networks import two_layer
from drlim_np.siamese import two_towers
from drlim_np.tree import add
from tests.tools.faults import BEYOND_PROOF, FAULTS, PROVEN, for_the_proofs, planted


def rng():
    return np.random.default_rng(0)


def test_all_statements_hold_and_every_wrong_gradient_on_record_is_refuted():
    proofs = catalogue.proofs()
    assert all(one.as_it_should_be for one in proofs), proof.table(proofs)
    assert sum(one.kind == "derived" for one in proofs) >= 16
    mistakes = [one.name for one in proofs if one.wrong_on_purpose]
    assert mistakes == [f"wrong: {mistake}" for mistake in (*wrong.LOSSES, *wrong.TOWERS)]


def refuted(fault):
    """Whether the exact proofs, run on a package with this fault in it, say so or cannot even be computed."""
    with planted(fault) as imported, np.errstate(all="ignore"):
        for module, part in (name.split(".") for name in PROVEN[fault.module]):
            try:
                found = [one.as_it_should_be for one in getattr(imported(f"drlim_np.audit.{module}"), part)(rng())]
            except Exception:
                return True
            if not all(found):
                return True
    return False


@pytest.mark.parametrize("fault", for_the_proofs(), ids=lambda fault: f"{fault.module}: {fault.what}")
def test_the_exact_proofs_alone_refute_the_fault(fault):
    assert refuted(fault)


@pytest.mark.parametrize("module", PROVEN)
def test_without_a_fault_the_same_proofs_hold(module):
    fault = next(fault for fault in FAULTS if fault.module == module)
    assert not refuted(Harmless(*fault))


class Harmless(type(FAULTS[0])):
    """What changes nothing: that it is refuted too would say that the planting, and not the fault, is noticed."""

    def source(self):
        return self.path.read_text(encoding="utf-8") + "\n"


def test_what_is_beyond_the_proofs_is_on_the_list_of_faults():
    assert {name for names in BEYOND_PROOF.values() for name in names} <= {fault[:2] for fault in FAULTS}


def test_an_inner_product_is_exact_beyond_what_float64_holds_and_equals_nothing_if_it_may_have_been_rounded():
    a = np.array([2.0**52 + 1, 1.0])
    assert exact.inner(a, a) == (2**52 + 1) ** 2 + 1
    for rounded in (0.5, 2.0**53, np.nan, np.inf):
        assert np.isnan(exact.inner(np.ones(2), np.array([1.0, rounded])))


def test_a_pullback_that_is_right_but_for_one_entry_is_refuted():
    layer, wrong = Linear(40, 30), {"weight": np.zeros((30, 40)), "bias": np.zeros(30)}
    wrong["weight"][3, 7] = 1

    def almost(params, x):
        y, pullback = layer(params, x)
        return y, lambda dy, wrt_input: (right := pullback(dy, wrt_input))._replace(params=add(right.params, wrong))

    draw = partial(exact.whole_numbers, rng(), bits=20)
    arguments = {"params": drawn_like(layer.init(rng()), draw), "input": draw((3, 40))}
    assert exact.pullback_is_adjoint(layer, arguments, draw)
    assert not exact.pullback_is_adjoint(almost, arguments, draw)


def test_no_seed_draws_a_pair_of_towers_that_meet_where_a_force_has_no_direction():
    for seed in (0, 17):  # of 17 two inputs would be the same
        assert all(one.as_it_should_be for one in pairs._towers(np.random.default_rng(seed)))


def test_pairs_that_are_said_to_be_exact_are():
    for z1, z2, _, margin, d, loss, dz in pairs.exact_pairs():
        v = (exactly(z1) - exactly(z2)).entries
        assert ((v * v).sum(axis=1) == d * d).all()
        assert all(Fraction(float(number)) == number for number in (Fraction(margin), loss, *dz.ravel()))


def test_a_rounded_third_names_a_third_and_what_lies_between_fractions_names_none():
    assert [pairs.named(1 / 3), pairs.named(np.float64(-2.5))] == [Fraction(1, 3), Fraction(-5, 2)]
    with pytest.raises(ValueError, match="names no fraction"):
        pairs.named(np.sqrt(2))


def test_a_number_is_the_fraction_that_it_stands_for_and_a_root_that_is_none_is_refused():
    assert (exactly(np.ones(1)) * 0.1).entries.item() == Fraction(0.1) != Fraction(1, 10)
    assert np.sqrt(exactly(np.array([2.25]))).entries.item() == Fraction(3, 2)
    with pytest.raises(ValueError, match="the root of 2 is no fraction"):
        np.sqrt(exactly(np.array([2.0])))


@pytest.mark.parametrize("y", [0, 1])
@pytest.mark.parametrize("times", [1, 2, -1])
def test_the_force_of_a_pair_is_refuted_with_another_factor_or_sign(y, times):
    z1, z2 = symbols((1, 2)), symbols((1, 2))
    loss, dz1, _ = contrastive(z1, z2, [y], 1.0)
    assert is_gradient(loss.entries.item(), times * dz1, z1) == (times == 1)


def test_a_slope_of_1_minus_y_for_tanh_is_refuted():
    x, v = symbols((3,)), symbols((3,))
    y, _ = Tanh()({}, x)
    assert not is_gradient(np.sum((v * y).entries), v * (1 - y), x)


@pytest.mark.parametrize("mistake", wrong.TOWERS)
def test_a_wrong_sum_of_two_towers_is_refuted(mistake):
    network = two_layer(2, 2, 1)
    given = network, drawn_like(network.init(rng()), symbols), symbols((1, 2)), symbols((1, 2)), [0], 1.0
    loss, right = two_towers(*given)
    assert is_gradient(loss.entries.item(), right, given[1])
    assert not is_gradient(loss.entries.item(), wrong.TOWERS[mistake](*given), given[1])
