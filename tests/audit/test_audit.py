"""The audit as a whole: what it covers, how it is told, and the pages that count what there is of each kind."""

import pytest

from drlim_np.audit import __main__ as command
from drlim_np.audit import catalogue, exact, gradcheck, proof
from tests.tools import counted


@pytest.fixture(scope="module")
def audit():
    """All findings, which take half a minute."""
    return list(catalogue.findings(seed=0))


@pytest.fixture
def proofs():
    return catalogue.proofs()


def test_the_audit_holds_and_rejects_every_mistake_on_record(audit):
    assert all(finding.as_it_should_be for finding in audit), catalogue.table(audit)
    assert sum(subject.startswith("wrong: ") for subject in {finding.subject for finding in audit}) == 14
    assert all(finding.wrong_on_purpose == finding.subject.startswith("wrong: ") for finding in audit)


def test_the_audit_covers_layers_networks_losses_and_siamese_forms_at_random_and_trained_weights(audit):
    kinds = ["Linear", "Conv2d", "Subsample", "Tanh", "Flatten", "Positions", "Sequential", "Blockwise"]
    names = ["convnet, Fig. 3", "two-layer, Sec. 3.4"]
    networks = [f"{name}, {weights} W" for name in names for weights in ("random", "trained")]
    forms = [f"Siamese {name}, {form}" for name in networks for form in ("two towers", "embed once", "sampled pairs")]
    losses = ["contrastive, Eqs. 2 to 4", "all pairs, Eq. 2", "weighted pairs"]
    assert {*kinds, *networks, *forms, *losses} <= {finding.subject for finding in audit}


def test_the_shortened_table_shows_the_finding_that_decides(audit):
    worst = catalogue.worst_by_subject(audit)
    assert [f.subject for f in worst] == list(dict.fromkeys(f.subject for f in audit))
    one = audit[0]
    passed = one._replace(wrong_on_purpose=True)
    assert catalogue.worst_by_subject([*audit, passed])[0] == passed
    assert "1 surprise" in catalogue.summary([*audit, passed]) and "no surprises" in catalogue.summary(audit)
    near_a_kink = catalogue.Finding("a", gradcheck.Row("w", 2, 1e-16, 4e-7, 4e-7))
    said, near, far = (catalogue.table([one]) for one in (passed, near_a_kink, one))
    assert "FAILS: a wrong gradient passed" in said and "holds, near a kink" in near and "kink" not in far


@pytest.mark.parametrize("page", counted.PAGES)
def test_the_page_counts_what_there_is(audit, proofs, page):
    text = counted.PAGES[page].read_text(encoding="utf-8")
    assert text == counted.written(text, counted.table(audit, proofs)), "write them by python -m tests.tools.counted"
    assert "| exact proofs | " in text


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Conv2d", ["derived", "proven"]),
        ("Blockwise", ["derived", "proven"]),
        ("all pairs, Eq. 2", ["proven"]),
        ("Siamese convnet, Fig. 3, random W, sampled pairs", ["derived", "proven"]),
        ("wrong: the ½ missing", []),
    ],
)
def test_the_catalogue_says_of_an_entry_what_it_is_besides_tested(proofs, subject, expected):
    assert proof.kinds(proofs, subject) == expected


def test_a_wrong_gradient_that_passes_a_proof_and_a_statement_that_fails_are_surprises(proofs):
    right, refuted_one = proofs[0], next(one for one in proofs if one.wrong_on_purpose)
    found = [right._replace(holds=False), refuted_one._replace(holds=True)]
    assert proof.table(found).splitlines()[0].endswith("  FAILS")
    assert proof.table(found).splitlines()[1].endswith("FAILS: a wrong gradient passed")
    assert proof.summary(found).endswith("2 surprises") and proof.summary(proofs).endswith("no surprises")
    assert proof.kinds(found, "Conv2d") == []


def test_the_command_prints_findings_and_proofs_of_a_seed_and_ends_with_1_on_a_surprise(proofs, capsys, monkeypatch):
    holding, off, seeds = gradcheck.Row("weight", 2, 1e-16, 1e-10), gradcheck.Row("weight", 2, 1e-3, 1e-3), []
    right, fails = catalogue.Finding("Conv2d", holding), catalogue.Finding("a loss", off)
    caught, missed = (catalogue.Finding(f"wrong: {row}", row, wrong_on_purpose=True) for row in (off, holding))
    cases = [([right, caught], True, 0), ([right, missed], True, 1), ([fails, caught], True, 1)]
    for found, proof_holds, status in (*cases, ([right, caught], False, 1)):
        first = proofs[0]._replace(holds=proof_holds)
        monkeypatch.setattr(catalogue, "findings", lambda seed, _, found=found: seeds.append(seed) or iter(found))
        monkeypatch.setattr(catalogue, "proofs", lambda seed, of=first: seeds.append(seed) or (of, *proofs[1:]))
        assert command.main(["--seed", "3"]) == status
        said = capsys.readouterr().out
        assert all(finding.subject in said for finding in found)
        assert ("FAILS" in said) == (status == 1)
        assert ("holds; derived; proven" in said) == (right in found)
        assert proofs[0].statement in said and "proven without a tolerance" in said
    assert seeds == [3] * 8


def test_without_sympy_the_derivations_are_left_out_and_one_line_says_so(monkeypatch):
    monkeypatch.setattr(catalogue, "find_spec", lambda name: None)
    monkeypatch.setattr(exact, "proofs", lambda seed: iter(()))
    assert catalogue.proofs.__wrapped__() == ()
    assert catalogue.without_derivations().startswith("Left out: derivations; they need SymPy")
