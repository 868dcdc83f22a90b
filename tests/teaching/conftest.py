"""One browser for all pages, because starting one takes longer than most tests, and the pages it shows."""

from pathlib import Path

import numpy as np
import pytest

from drlim_np.data import handwriting, on_canvas
from drlim_np.networks import convnet
from drlim_np.teaching.laboratories import map_page, training_page
from drlim_np.teaching.pages import lesson_page, paper_page
from drlim_np.tree import tree_map
from tests.help.browser import missing, opened
from tests.help.small_views import UNSEEN, blobs

SPRINGS = Path(__file__).resolve().parents[2] / "figures" / "springs.html"


@pytest.fixture(scope="session")
def browser():
    if missing():
        pytest.skip(missing())
    with opened() as window:
        yield window


@pytest.fixture(scope="session")
def digits():
    test = handwriting.generate(seed=3, train=(1, 1), test=(15, 15)).test
    return on_canvas(test.images), test.labels


@pytest.fixture(scope="session")
def maps():
    """Weights that no training has made even: every bias and coefficient counts."""
    rng = np.random.default_rng(0)

    def uneven(w):
        return (w + 0.1 * rng.standard_normal(w.shape)).astype(np.float32)

    return {name: tree_map(uneven, convnet().init(rng)) for name in ("Figure 5", "Figure 7</script>")}


@pytest.fixture(scope="session")
def html(maps, digits):
    points = np.random.default_rng(0).normal(size=(660, 3)) * [1, 2, 5]
    grown = {epoch: scale * points for epoch, scale in {0: 0.01, 1: 0.3, 3: 0.8, 8: 1}.items()}
    return {
        "springs": SPRINGS.read_text(encoding="utf-8"),
        "map": map_page(maps, *digits, margin=0.8, numbers="Measured elsewhere."),
        "training": training_page(blobs(), UNSEEN),
        "lesson": lesson_page(),
        "paper": paper_page(grown, np.linspace(0, 1, 660, endpoint=False)),
    }


@pytest.fixture(scope="session")
def addresses(tmp_path_factory, html):
    folder = tmp_path_factory.mktemp("pages")
    for name, text in html.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in html}


@pytest.fixture
def name(request):
    """The page that the module tests, unless a test is parametrised with names."""
    return request.module.PAGE


@pytest.fixture
def size():
    """Of its window, unless a test is parametrised with sizes."""
    return "desk"


@pytest.fixture
def desk(browser, addresses, name):
    """The page as the last test left it."""
    return browser.at(addresses[name])


@pytest.fixture
def page(browser, addresses, name, size):
    """The page as it looks when it has just been opened."""
    return browser.at(addresses[name], size, fresh=True)
