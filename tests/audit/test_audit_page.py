"""The audit page: each line of the paper with the living sources, and a browser shows it whole, asking nobody."""

import fnmatch
import inspect
import json
import re
import shutil
from html import unescape
from pathlib import Path

import pytest

from drlim_np.audit import catalogue, index
from drlim_np.audit.first import PROPERTIES, Audited
from drlim_np.audit.gradcheck import Row
from drlim_np.audit.index import LINES, audit_page, typeset
from drlim_np.errors import DataError
from drlim_np.runs.command import FIGURES
from tests.help.browser import SIZES, missing, opened
from tests.help.refusals import refuses

ROOT = Path(__file__).resolve().parents[2]
RECORD = json.loads((ROOT / "figures" / "metrics.json").read_text(encoding="utf-8"))
# What others have cited stays where it is: a new line adds its address, none is renamed.
ADDRESSES = """
    eq-1 eq-2 eq-2-all-pairs eq-3 eq-4-l_s eq-4-l_d eq-5 eq-6 eq-7 cone-point equilibrium collapse
    step-1-neighbours step-1-shifts step-1-views step-2 step-2-descent step-2-drawn-pairs two-towers one-copy
    fig-3 fig-3-convolution fig-3-subsampling sec-3-4-network sec-3-2-digits sec-3-3-shifts sec-3-3-windows
    sec-3-4-views lle fig-8 requirement-distances requirement-invariance requirement-unseen claim-smooth claim-even
    claims
"""
ANCHORS = ADDRESSES.split()


@pytest.fixture(scope="module")
def subjects():
    """What the audit is about, with a made-up error each: right ones hold, wrong ones are rejected."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("check", "check_layer"):
            patch.setattr(catalogue, name, lambda *_: [Row(name, 6, 3e-16, 2e-10) for name in ("z1", "z2")])
        found = catalogue.worst_by_subject(list(catalogue.findings()))
    rejected = Row("tensor", 6, 0.5, 0.5)
    return [one._replace(row=rejected) if one.wrong_on_purpose else one for one in found]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the page will lie, with all pictures of the shipped figures but one."""
    made = tmp_path_factory.mktemp("audit")
    for picture in (ROOT / "figures").glob("*.png"):
        if picture.stem != "figure10-airplane":
            shutil.copy(picture, made)
    return made


@pytest.fixture(scope="module")
def html(folder, subjects):
    return audit_page(RECORD, folder, Audited(subjects, catalogue.proofs(), "61 passed in 20.12s"))


@pytest.fixture(scope="module")
def rows(html):
    return rows_of(html)


@pytest.fixture(scope="module")
def browser(folder, html):
    if missing():
        pytest.skip(missing())
    (folder / "audit.html").write_text(html, encoding="utf-8")
    with opened((folder / "audit.html").as_uri()) as page:
        yield page


def rows_of(html):
    """The row of each line, by its address."""
    return dict(re.findall(r'<section id="([^"]*)">(.*?)</section>', html, flags=re.DOTALL))


def sources(row):
    """The sources in a row, as they can be copied from it."""
    shown = re.findall(r'<pre class="source">(.*?)</pre>', row, flags=re.DOTALL)
    return [[unescape(line) for line in re.findall(r"<span.*?>(.*?)</span>", one)] for one in shown]


def words(row):
    """What a row says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split())


# ---- what is on it ----


def test_every_line_has_its_row_at_its_lasting_address(rows, html):
    assert [line.anchor for line in LINES] == ANCHORS == list(rows)
    assert len(set(re.findall(r' id="([^"]*)"', html))) == len(re.findall(r' id="', html)) == len(ANCHORS) + 1
    assert all(f'<a href="#{anchor}">' in html.partition("<main")[0] for anchor in ANCHORS)


@pytest.mark.parametrize("line", LINES, ids=ANCHORS)
def test_a_row_has_the_formula_and_the_living_sources(line, rows):
    row = rows[line.anchor]
    assert row.count("<math ") == len(line.formulas) and (line.formulas or line.anchor == "claims")
    shown = sources(row)
    assert shown[: len(line.functions)] == [inspect.getsource(one).splitlines() for one in line.carried_by]
    assert len(shown) == len(line.functions) + len(line.tests)
    for test, source in zip(line.tests, shown[len(line.functions) :], strict=True):
        assert "\n".join(source) in (ROOT / "tests" / test.file).read_text(encoding="utf-8")
        assert any(text.startswith(f"def {test.name}(") for text in source) and "assert" in "\n".join(source)


def test_every_gradient_of_the_audit_stands_in_a_row_with_its_verdict(rows, subjects):
    names = [one.subject for one in subjects]
    assert [name for name in names if not any(line.audits(name) for line in LINES)] == []
    assert [pattern for line in LINES for pattern in line.audited if not fnmatch.filter(names, pattern)] == []
    assert "contrastive, Eqs. 2 to 4 3e-16 2e-10 holds" in words(rows["eq-6"])
    assert "wrong: the ½ missing 5e-01 5e-01 rejected, as it must be; by the proof too" in words(rows["eq-4-l_s"])
    assert "bound 1e-12 1e-07" in words(rows["eq-6"])


@pytest.mark.parametrize("line", LINES, ids=ANCHORS)
def test_a_line_is_derived_and_proven_as_the_index_says_or_is_no_algebra(line, rows):
    supporting = line.supported_by(catalogue.proofs())
    wanted = [kind for kind in line.exact if kind == "proven" or not catalogue.without_derivations()]
    assert sorted({one.kind for one in supporting} - {"tested"}) == wanted
    assert bool(line.exact) != bool(line.no_algebra)
    assert f"No algebra: {line.no_algebra}." in words(rows[line.anchor]) or not line.no_algebra
    for one in supporting:
        assert f"{one.name}: {one.statement}; {one.bound}: holds" in words(rows[line.anchor])


def test_every_proof_stands_in_a_row_and_every_pattern_of_the_index_finds_one():
    names = [one.name for one in catalogue.proofs() if not one.wrong_on_purpose]
    held = {one.name for line in LINES for one in line.supported_by(catalogue.proofs())}
    assert held == {*names}
    assert [pattern for line in LINES for pattern in line.proofs if not fnmatch.filter(names, pattern)] == []


def test_a_row_says_how_many_of_its_tests_the_audit_ran(rows):
    of_eq_7 = next(line.tests for line in LINES if line.anchor == "eq-7")
    assert [f"tests/{test.file}" in PROPERTIES for test in of_eq_7].count(True) == 3 == len(of_eq_7) - 3
    assert "6 tests. Of these 3 ran in the audit before the figures: 61 passed. " in words(rows["eq-7"])
    assert " 1 test." in words(rows["lle"]) and "ran in the audit" not in words(rows["lle"])


def test_figures_stand_there_with_their_claims_as_they_are_on_record(rows, folder):
    claims = RECORD["figure8-airplane"]["claims"]
    row = rows["fig-8"]
    assert f"Figure 8: claims hold, {len(claims)}" in words(row)
    assert all(claim["text"] in words(row) for claim in claims)
    assert re.search(r'<img src="figure8-airplane.png" width="\d{3,4}" height="\d{3,4}" loading="lazy"', row)
    assert {figure for line in LINES for figure in line.figures} <= set(FIGURES)
    # a picture that is not beside the page is named, and a figure never drawn has its command
    assert '<a href="figure10-airplane.png">figure10-airplane.png</a>' in rows["step-2"]
    assert "run_all.py --only figure8" in audit_page({}, folder, None)


@pytest.mark.parametrize("entry", [{}, None, {"claims": None}, {"claims": [{"text": "it rises"}]}])
def test_a_damaged_record_is_said_in_one_line(folder, entry):
    for said in ("figure1: its record or picture is damaged (", "): draw the figure again"):
        refuses(lambda: audit_page({"figure1": entry}, folder, None), said, DataError)


def test_what_fails_is_said_to_fail(folder, subjects):
    claim = {"text": "it rises", "value": 0.5, "relation": "≥", "bound": 1.0, "holds": False}
    errors = {True: Row("tensor", 6, 0.0, 0.0), False: Row("tensor", 6, 1.0, 1.0)}
    surprises = [one._replace(row=errors[one.wrong_on_purpose]) for one in subjects]
    wrong = [one._replace(holds=False) for one in catalogue.proofs()]
    said = words(audit_page({"figure1": {"claims": [claim]}}, folder, Audited(surprises, wrong, "1 passed")))
    assert "for any G_W: FAILS" in said
    assert "Figure 1: 1 of 1 claims FAIL" in said and "it rises: 0.5 ≥ 1: FAILS" in said
    assert "contrastive, Eqs. 2 to 4 1e+00 1e+00 FAILS" in said
    assert "wrong: the ½ missing 0e+00 0e+00 FAILS: a wrong gradient passed" in said
    assert "rejected" not in said and "holds" not in said.partition("What carries it")[0]


def test_what_was_left_out_is_said_with_the_reason(folder, subjects, monkeypatch, tmp_path):
    proven = [one for one in catalogue.proofs() if one.kind == "proven"]
    said = rows_of(audit_page(RECORD, folder, Audited(subjects, proven, "61 passed")))
    assert "Derived Left out: it needs SymPy, which was not installed. Proven" in words(said["eq-6"])
    assert "Derived" not in words(said["eq-2"]) and "Proven" not in words(said["eq-5"])
    monkeypatch.setattr(index, "HERE", tmp_path)
    said = words(audit_page(RECORD, folder, None))
    assert "Gradients were not audited in this run: python -m drlim_np.audit does it." in said
    assert "Proven Not in this run: python -m drlim_np.audit does it." in said
    assert said.count("The tests are in a checkout, not installed.") == len(LINES)


def test_it_is_one_small_file_that_asks_for_nothing_but_the_pictures_beside_it(html):
    assert len(html.encode()) <= 300_000
    assert "default-src 'none'" in html and "<script" not in html
    code = re.sub(r"<pre.*?</pre>", "", html, flags=re.DOTALL)
    for word in ("http:", "https:", "url(", "@import"):
        assert word not in code, word
    assert all(re.fullmatch(r"[\w-]+\.png", address) for address in re.findall(r'src="([^"]*)"', code))
    assert all(re.fullmatch(r"#[\w-]+|[\w-]+\.png", address) for address in re.findall(r'href="([^"]*)"', code))


# ---- formulas ----


@pytest.mark.parametrize(
    ("formula", "tree"),
    [
        ("F = −K X", "<mi>F</mi><mo>=</mo><mo>−</mo><mi>K</mi><mi>X</mi>"),
        ("D_W", "<msub><mi>D</mi><mi>W</mi></msub>"),
        ("D_W^2", "<msubsup><mi>D</mi><mi>W</mi><mn>2</mn></msubsup>"),
        ("D^2_W", "<msubsup><mi>D</mi><mi>W</mi><mn>2</mn></msubsup>"),
        ("x_{i j}", "<msub><mi>x</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub>"),
        ("∑_i^P x", "<munderover><mo>∑</mo><mi>i</mi><mi>P</mi></munderover><mi>x</mi>"),
        ("∑_i x", "<munder><mo>∑</mo><mi>i</mi></munder><mi>x</mi>"),
        (r"\frac{∂L}{2}", "<mfrac><mrow><mi>∂</mi><mi>L</mi></mrow><mrow><mn>2</mn></mrow></mfrac>"),
        (r"\max(0, m)", "<mi>max</mi><mo>(</mo><mn>0</mn><mo>,</mo><mi>m</mi><mo>)</mo>"),
        (r"0 \text{ for } D < m", "<mn>0</mn><mtext>&nbsp;for&nbsp;</mtext><mi>D</mi><mo>&lt;</mo><mi>m</mi>"),
        ("30,000 · 2.5", "<mn>30,000</mn><mo>·</mo><mn>2.5</mn>"),
    ],
)
def test_a_formula_becomes_its_tree(formula, tree):
    assert typeset(formula) == f'<math display="block">{tree}</math>'


@pytest.mark.parametrize("formula", ["x_", "{x", "x}", r"\frac{1}", "x^}"])
def test_what_is_not_finished_is_refused_in_one_line(formula):
    refuses(lambda: typeset(formula), "something is missing")


# ---- in a browser ----


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("opened", [False, True], ids=["folded", "unfolded"])
def test_nothing_overflows(browser, size, opened):
    browser.resize(size)
    browser.call("refresh")
    browser.js(f"document.querySelectorAll('details').forEach(one => {{ one.open ||= {str(opened).lower()}; }})")
    assert browser.js("innerWidth") == SIZES[size][0]
    assert browser.js("document.documentElement.scrollWidth <= innerWidth")
    assert browser.js("astray()") == []


@pytest.mark.parametrize("size", SIZES)
def test_axe_core_finds_no_fault(browser, size):
    browser.resize(size)
    browser.call("refresh")
    assert browser.complaints() == []


def test_no_request_leaves_the_folder_and_all_pictures_are_seen(browser, folder):
    browser.call("refresh")
    browser.js("document.querySelectorAll('img').forEach(one => { one.loading = 'eager'; })")
    browser.until("[...document.images].every(one => one.complete)")
    assert browser.js("[...document.images].every(one => one.naturalWidth === +one.getAttribute('width'))")
    addresses = browser.js("performance.getEntriesByType('resource').map(one => one.name)")
    addresses += browser.js("[...document.images].map(one => one.currentSrc)")
    assert len(addresses) > 20 and all(address.startswith(folder.as_uri()) for address in addresses)
    assert browser.call("se/log", type="browser") == []


def test_a_keyboard_skips_to_the_lines(browser):
    browser.resize("desk")
    browser.call("refresh")
    browser.press("Tab")
    seen = "[document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle]"
    text, outline = browser.js(seen)
    assert text == "Skip to the lines" and outline != "none"
    assert browser.js("getComputedStyle(document.activeElement).clipPath") == "none"
    browser.press("Enter")
    assert browser.js("document.activeElement.id") == "lines"


def test_an_address_leads_to_its_row(browser, folder):
    browser.call("url", url=f"{(folder / 'audit.html').as_uri()}#eq-4-l_d")
    assert browser.js("document.querySelector(':target h2').textContent") == "Eq. 4, L_D"
    browser.until("Math.abs(document.querySelector(':target').getBoundingClientRect().top) < 20")


def test_printed_it_is_dark_on_light_nothing_is_folded_and_every_row_begins_a_page(browser):
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.cdp("Emulation.setEmulatedMedia", media="print", features=dark)
    assert browser.js("getComputedStyle(document.body).color") == "rgb(34, 34, 34)"
    heights = browser.each("details", "one.lastElementChild.getBoundingClientRect().height")
    assert len(heights) > 100 and min(heights) > 10
    assert {*browser.each("section", "getComputedStyle(one).breakBefore")} == {"page"}
    assert browser.of(".skip", "getComputedStyle(one).display") == "none"
    browser.cdp("Emulation.setEmulatedMedia", media="", features=[])
