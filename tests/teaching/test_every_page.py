"""Every page for students: one file that is whole, within its window, legible, silent, and worked by keyboard."""

import re

import pytest

from tests.help.browser import SIZES

EACH = pytest.mark.parametrize("name", ["springs", "map", "training", "lesson", "paper"])
FOCUSABLE = (  # of radio buttons Tab reaches the one that is chosen
    "document.querySelectorAll('a, button, input:not([type=radio]), input:checked, select, summary, [tabindex]')"
)
STAYS = ["stage", "loss", "run", "say"]


@EACH
def test_it_is_one_file_that_asks_the_network_for_nothing_has_no_complaint_and_says_its_name(page, html, name):
    text = re.sub(r'"[A-Za-z0-9+/=]{200,}"', "", html[name])  # without the numbers of the maps
    assert "default-src 'none'" in text
    for word in ("http:", "https:", "//cdn", "src=", "url(", "@import", "import(", "fetch(", "XMLHttp"):
        assert word not in text, word
    assert text.count("</script>") == (name in ("springs", "map", "training"))
    links = re.findall(r'href="([^"]*)"', text)
    assert all(link.startswith("#") and f'id="{link[1:]}"' in text for link in links)
    if name == "springs":
        page.js("laboratory.settle()")
    assert page.js("performance.getEntriesByType('resource').length") == 0
    assert page.call("se/log", type="browser") == []
    assert page.js("document.documentElement.lang") == "en" and page.js("document.title")


@EACH
@pytest.mark.parametrize("size", SIZES)
def test_nothing_overflows_no_words_in_a_drawing_overlap_and_axe_core_finds_no_fault(page, name, size):
    assert page.js("innerWidth") == SIZES[size][0]
    assert page.js("document.documentElement.scrollWidth <= innerWidth")
    assert page.js("overlapping()") == []
    assert name not in ("lesson", "paper") or page.js("astray()") == []
    for scheme in ("light", "dark"):
        assert (page.luminances(["card"], scheme)["card"] > 0.5) == (scheme == "light")
        page.prefer("prefers-color-scheme", scheme)
        found = page.complaints()
        page.prefer("prefers-color-scheme", "")
        assert found == []


@pytest.mark.parametrize("name", ["springs", "map"])
def test_without_javascript_a_laboratory_says_that_it_needs_it(browser, addresses, name):
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    page = browser.at(addresses[name], fresh=True)
    said = page.of("noscript p", "[one.textContent, one.getBoundingClientRect().height > 0]")
    browser.cdp("Emulation.setScriptExecutionDisabled", value=False)
    page.visit(addresses[name])
    assert "without JavaScript: allow it" in said[0] and said[1]
    assert page.of("noscript", "one.getClientRects().length") == 0


@pytest.mark.parametrize(
    ("name", "size", "reached", "seen"),
    [
        ("springs", "desk", None, ["stage", "loss", "say", "run", "chart", "margin", "pair-EF", "challenge-clusters"]),
        ("springs", "phone", "stage", STAYS),
        ("springs", "phone", "challenge-clusters", [*STAYS, "challenge-clusters"]),
        ("map", "desk", None, ["pad", "thick", "map-0", "map-1", "near-1"]),
        ("training", "desk", None, ["map", "run", "say", "hand", "da", "curve", "breaks", "verdict"]),
        *(("training", "phone", reached, [reached, "map", "run", "say"]) for reached in ("wrong-plain", "m", "x1")),
        *(("map", "phone", reached, [reached, "map-0", "map-1"]) for reached in ("pad", "right", "thick")),
    ],
)
def test_what_belongs_together_is_in_sight_when_a_page_opens_or_a_control_is_reached(page, reached, seen):
    if reached:
        page.scroll_to(reached)
    for identifier in seen:
        assert page.of(f"#{identifier}", "within(one) && inFront(one)"), identifier


@EACH
def test_tab_goes_through_every_link_and_control_in_order_and_each_is_named_and_shows_the_focus(page, name):
    count = page.js(f"{FOCUSABLE}.length")
    expected = {"springs": 6 + 6 + 15 + 3, "map": 2 + 5 + 12 + 1 + 1 + 2 + 3, "training": 1 + 5 + 2 + 5 + 4 + 1}
    assert count == (expected | {"lesson": 20, "paper": 0})[name]
    for k in range(count):
        page.press("Tab")
        reached, mark, identifier, text = page.js(
            f"(one => [one === {FOCUSABLE}[{k}], one.querySelector('.ring')"
            " ? getComputedStyle(one.querySelector('.ring')).stroke : getComputedStyle(one).outlineStyle,"
            " one.id, one.textContent])(document.activeElement)"
        )
        assert reached and mark != "none", (k, identifier, text)
        assert page.label(identifier) if identifier else text
