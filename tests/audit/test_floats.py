"""Float32 decided number by number, and rounding held to its bounds; each claim fails on code with a small fault."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import assume, given, settings, target
from hypothesis import strategies as st

from drlim_np.audit import __main__ as command
from drlim_np.audit import floats
from drlim_np.checks.terminal import ProgressLine
from drlim_np.loss import contrastive, energy

OF = {"similar_loss": "float32, eq-4-l_s", "dissimilar_loss": "float32, eq-4-l_d", "repulsion": "float32, eq-7"}


def off_from(name, least, below, monkeypatch):
    """Plants a fault: by a hundred-thousandth too large from `least` to `below`."""
    right = getattr(floats, name)

    def wrong(d, *margin):
        return np.where((d >= least) & (d < below), np.float32(1.00001), np.float32(1)) * right(d, *margin)

    monkeypatch.setattr(floats, name, wrong)


@pytest.mark.line("eq-4-l_s", "eq-4-l_d", "eq-7")
def test_eqs_4_and_7_hold_on_the_thinned_set_of_float32_energies_at_every_margin():
    assert [(one.name, one.holds) for one in floats.proofs(None)] == [(name, True) for name in OF.values()]


@pytest.mark.parametrize("name", OF)
@pytest.mark.parametrize(("least", "below"), [(2.0**-60, 2.0**-59), (2.0**-20, 2.0**-19), (0.5, 1), (1 - 2.0**-24, 1)])
def test_a_fault_in_one_binade_or_next_to_m_is_found_on_the_thinned_set(name, least, below, monkeypatch):
    off_from(name, least, below, monkeypatch)
    assert [one.name for one in floats.proofs(None) if not one.holds] == [OF[name]]


@pytest.mark.parametrize(("least", "below"), [(64, 128), (1, np.inf)], ids=["one binade", "from m on"])
@pytest.mark.parametrize("name", ["dissimilar_loss", "repulsion"])
def test_the_smallest_loss_or_force_beyond_the_margin_is_found(name, least, below, monkeypatch):
    right = getattr(floats, name)
    monkeypatch.setattr(floats, "MARGINS", (1.0,))
    tiny = np.float32(2.0**-149)
    monkeypatch.setattr(floats, name, lambda d, m: right(d, m) + np.where((d >= least) & (d < below), tiny, 0))
    assert [one.name for one in floats.proofs(None) if not one.holds] == [OF[name]]


@pytest.mark.parametrize("name", [None, *OF])
def test_a_fault_in_a_single_float_is_found_among_all_of_a_binade_which_is_named(name, monkeypatch, capsys):
    monkeypatch.setattr(floats, "FIRST", 125 * 2**23)
    monkeypatch.setattr(floats, "INFINITY", 127 * 2**23)
    if name:
        one = np.float32(0.7123)
        off_from(name, one, np.nextafter(one, np.float32(1)), monkeypatch)
        monkeypatch.setattr(floats, "ProcessPoolExecutor", ThreadPoolExecutor)  # which alone see the fault
    found = {found.name: found for found in floats.every(1.0, ProgressLine())}
    assert [line for line in found if not found[line].holds] == ([OF[name]] if name else [])
    assert command.main(["--every-float"]) == bool(name)
    said = capsys.readouterr().out
    assert said.count("proven") == 3 - bool(name) and ("not from 2^-1 up" in said) == bool(name)


# ---- rounding ----


@st.composite
def pairs(draw):
    """z1, z2 (1, dims) of either width and m; every other time as far apart as m, but for rounding."""
    dtype, dims = draw(st.sampled_from([np.float32, np.float64])), draw(st.integers(1, 4))
    numbers = st.lists(st.floats(-8, 8, width=32), min_size=dims, max_size=dims)
    margin = draw(st.floats(0.05, 20))
    z1, away = np.array(draw(numbers)), np.array(draw(numbers))
    length = np.linalg.norm(away)
    if draw(st.booleans()) and length > 1e-3:
        away *= margin / length
    return z1[None].astype(dtype), (z1 + away)[None].astype(dtype), margin


@pytest.mark.line("eq-1", "eq-4-l_s", "eq-4-l_d", "eq-6", "eq-7")
@settings(deadline=None, max_examples=200)
@given(pairs())
def test_energy_loss_and_forces_are_within_their_bounds_of_the_exact_fractions(drawn):
    z1, z2, margin = drawn
    apart = np.linalg.norm(z1.astype(float) - z2.astype(float))
    assume(apart == 0 or apart > 4 * float(np.finfo(z1.dtype).smallest_normal) ** 0.5)
    found = floats.shares(z1, z2, margin)
    u, beyond = float(np.finfo(z1.dtype).eps) / 2, found.pop("beyond")
    for name, share in found.items():
        target(share, label=name)
    assert max(found.values()) <= 1
    assert beyond <= (z1.shape[1] / 2 + 3.5) * (1 + 100 * u)  # one more than n, because m is rounded


def test_pairs_beyond_the_margin_that_are_computed_to_be_nearer_feel_no_more_than_n_ulps_of_it():
    rng = np.random.default_rng(0)
    z1, away = rng.standard_normal((2, 20_000, 2))
    z2 = (z1 + 1.25 * away / np.linalg.norm(away, axis=1, keepdims=True)).astype("f4")
    z1 = z1.astype("f4")
    nearer = (energy(z1, z2) < 1.25) & (energy(z1.astype(float), z2.astype(float)) >= 1.25)
    found = [floats.shares(a[None], b[None], 1.25)["beyond"] for a, b in zip(z1[nearer], z2[nearer], strict=True)]
    assert len(found) > 20 and 0 < max(found) <= 3.5


@pytest.mark.parametrize(
    ("name", "ulps", "over"), [("D", 4, {"D"}), ("loss", 16, {"L_S", "L_D"}), ("force", 16, {"dL_S", "dL_D"})]
)
def test_an_error_larger_than_its_bound_is_seen(name, ulps, over, monkeypatch):
    z1, z2 = np.array([[0.25, 0.5]], "f4"), np.zeros((1, 2), "f4")
    times = np.float32(1 + ulps * 2.0**-23)
    of_d, of_loss, of_force = (np.float32(times if name == off else 1) for off in ("D", "loss", "force"))

    def scaled(*given):
        loss, dz1, dz2 = contrastive(*given)
        return loss * of_loss, dz1 * of_force, dz2 * of_force

    monkeypatch.setattr(floats, "energy", lambda *z: energy(*z) * of_d)
    monkeypatch.setattr(floats, "contrastive", scaled)
    assert {name for name, share in floats.shares(z1, z2, 1.0).items() if share > 1} == over
