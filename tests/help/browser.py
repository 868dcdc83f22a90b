"""A page in headless Chromium, driven over chromedriver's own interface (W3C WebDriver): JSON over HTTP, no package."""

import json
import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

import pytest

HELPERS = Path(__file__).with_name("browser.js").read_text(encoding="utf-8")
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008", "Space": " "}
KEYS |= dict(zip(("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"), "\ue012\ue013\ue014\ue015", strict=True))
SIZES = {"desk": (1400, 900), "phone": (390, 844), "narrow": (320, 568)}
WINDOW = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1200,1150"]


def missing() -> str | None:
    """Why no page can be opened here, or None."""
    absent = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    return f"{' and '.join(absent)} not installed (Debian: chromium, chromium-driver)" if absent else None


@contextmanager
def opened(address: str = "about:blank"):
    """A browser with the page at that address."""
    options = {"binary": shutil.which("chromium"), "args": WINDOW}
    wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
    command, silent = [shutil.which("chromedriver"), "--port=0"], subprocess.DEVNULL
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=silent, text=True)
    try:
        port = next(found[1] for line in driver.stdout if (found := re.search(r"success.* on port (\d+)", line)))
        page = Page(f"http://127.0.0.1:{port}/session", {"capabilities": {"alwaysMatch": wanted}})
        try:
            page.visit(address)
            yield page
        finally:
            page.call("", method="DELETE")
    finally:
        driver.terminate()
        driver.communicate()


class Page:
    """One browser window."""

    def __init__(self, root: str, wanted: dict):
        self._opener, self._session = build_opener(ProxyHandler({})), root
        self._address = self._size = None
        self._session += "/" + self.call("", **wanted)["sessionId"]

    def call(self, command: str, method: str = "POST", **body):
        """A command of the WebDriver protocol."""
        data = json.dumps(body).encode() if method == "POST" else None
        address, kind = f"{self._session}/{command}".rstrip("/"), {"Content-Type": "application/json"}
        request = Request(address, data, kind, method=method)
        with self._opener.open(request) as answer:
            return json.load(answer)["value"]

    def js(self, code: str, *arguments):
        """The value of a JavaScript expression that is given `arguments`; numbers come back to the last bit."""
        script = f"{HELPERS}\nreturn JSON.stringify({code})"
        return json.loads(self.call("execute/sync", script=script, args=list(arguments)) or "null")

    def until(self, code: str, seconds: float = 60):
        """Waits for the expression to become true."""
        end = time.monotonic() + seconds
        while not self.js(code):
            assert time.monotonic() < end, f"never came true: {code}"
            time.sleep(0.05)

    def press(self, *keys: str, shift: bool = False):
        """Keys one after the other, held together with Shift or without."""
        strokes = [{"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        down, up = ({"type": kind, "value": KEYS["Shift"]} for kind in ("keyDown", "keyUp"))
        strokes = [down, *strokes, up] if shift else strokes
        self.call("actions", actions=[{"type": "key", "id": "keyboard", "actions": strokes}])

    def drag(self, *places: tuple[float, float], pointer: str = "mouse", release: bool = True):
        """Presses at the first place, moves over the others, lets go at the last; one place alone is a click."""
        moves = [{"type": "pointerMove", "duration": 20, "x": round(x), "y": round(y)} for x, y in places]
        actions = [moves[0], {"type": "pointerDown", "button": 0}, *moves[1:]]
        actions += [{"type": "pointerUp", "button": 0}] if release else []
        kind = {"type": "pointer", "id": pointer, "parameters": {"pointerType": pointer}}
        self.call("actions", actions=[kind | {"actions": actions}])

    def cdp(self, command: str, **parameters):
        """A command of Chromium's own protocol, for what WebDriver lacks."""
        return self.call("goog/cdp/execute", cmd=command, params=parameters)

    def label(self, identifier: str) -> str:
        """The name that a screen reader gives the element."""
        element = self.call("element", using="css selector", value=f"#{identifier}")
        return self.call(f"element/{next(iter(element.values()))}/computedlabel", method="GET")

    def visit(self, address: str):
        """Opens that page, afresh if it is open already."""
        self.call("url", url=address)
        self._address = address

    def at(self, address: str, size: str = "desk", fresh: bool = False):
        """This window with the page at that address, as it was left there unless `fresh`."""
        if self._size != size:
            self.resize(size)
        if fresh or self._address != address:
            self.visit(address)
        return self

    def of(self, query: str, code: str):
        """The value of an expression about `one`, the element that a CSS selector finds."""
        return self.js(f"(one => {code})(document.querySelector(arguments[0]))", query)

    def each(self, query: str, code: str) -> list:
        """The same for each element that it finds."""
        return self.js(f"[...document.querySelectorAll(arguments[0])].map(one => {code})", query)

    def focus(self, identifier: str):
        self.of(f"#{identifier}", "one.focus()")

    def click(self, identifier: str):
        """Clicks an element without a pointer, wherever it is."""
        self.of(f"#{identifier}", "one.click()")

    def text(self, identifier: str) -> str:
        return self.of(f"#{identifier}", "one.textContent")

    def middle(self, query: str) -> tuple[float, float]:
        """Where an element is in the window; it is scrolled into it if it is not."""
        return tuple(self.of(query, "middle(one)"))

    def scroll_to(self, identifier: str):
        self.of(f"#{identifier}", "one.scrollIntoView({block: 'center'})")

    def resize(self, size: str):
        """The window of a desk, or of a phone, wider or narrow, which has a touch screen."""
        width, height = SIZES[size]
        phone = size != "desk"
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=phone)
        self._size = size

    def prefer(self, feature: str, value: str):
        """Sets a preference of the reader, such as prefers-color-scheme; "" unsets it."""
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": feature, "value": value}])

    def complaints(self) -> list[str]:
        """What axe-core has against the page: rules of WCAG and best practices, each with the elements that break it.

        What it cannot decide counts too, except colours over a drawing, which have a test of their own.
        """
        axe = pytest.importorskip("axe_core_python", reason="axe-core is not installed (PyPI: axe-core-python)")
        script = Path(axe.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
        return self.call("execute/sync", script=f"{script}\n{HELPERS}\nreturn complaints()", args=[])

    def luminances(self, names: list[str], scheme: str) -> dict[str, float]:
        """The relative luminance of the page's colours, light or dark."""
        self.prefer("prefers-color-scheme", scheme)
        found = self.js("arguments[0].map(luminance)", names)
        self.prefer("prefers-color-scheme", "")
        return dict(zip(names, found, strict=True))
