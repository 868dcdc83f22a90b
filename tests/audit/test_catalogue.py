"""The audit as a whole. `run_all.py` does not repeat these tests, because it makes the same audit itself."""

import pytest

from drlim_np.audit.catalogue import MARGIN, findings, summary, table, worst_by_subject


@pytest.fixture(scope="module")
def audit():
    return list(findings(seed=0))


def test_the_audit_holds_and_rejects_every_wrong_gradient(audit):
    assert all(finding.as_it_should_be for finding in audit), table(audit)


def test_the_audit_covers_layers_networks_losses_and_siamese_forms_at_random_and_trained_weights(audit):
    subjects = {finding.subject for finding in audit}
    assert {"Linear", "Conv2d", "Subsample", "Tanh", "Flatten", "Positions", "Sequential", "Blockwise"} <= subjects
    assert {"contrastive, Eqs. 2 to 4", "all pairs, Eq. 2", "weighted pairs"} <= subjects
    for network in ("convnet, Fig. 3", "two-layer, Sec. 3.4"):
        for weights in ("random W", "trained W"):
            assert f"{network}, {weights}" in subjects
            for form in ("two towers", "embed once", "sampled pairs"):
                assert f"Siamese {network}, {weights}, {form}" in subjects


def test_the_audit_offers_every_mistake_on_record(audit):
    assert sum(subject.startswith("wrong: ") for subject in {finding.subject for finding in audit}) == 12
    assert all(finding.wrong_on_purpose == finding.subject.startswith("wrong: ") for finding in audit)


def test_the_shortened_table_shows_the_finding_that_decides(audit):
    worst = worst_by_subject(audit)
    assert [f.subject for f in worst] == list(dict.fromkeys(f.subject for f in audit))
    one = audit[0]
    passed = one._replace(wrong_on_purpose=True)
    assert worst_by_subject([*audit, passed])[0] == passed
    assert "1 surprise" in summary([*audit, passed]) and "no surprises" in summary(audit)
    assert "FAILS: a wrong gradient passed" in table([passed])
    assert MARGIN == 1.0
