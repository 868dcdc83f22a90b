"""The pictures of the two laboratories in README.md: `python -m tests.tools.laboratory` takes them again, in Chromium.

For maintainers. On map.html an unseen digit has moved 6 pixels to the right, so that both maps show its trail. On
training.html an epoch has passed, and a pair that exerts a force is at hand.
"""

from base64 import b64decode
from pathlib import Path

from drlim_np.drawing.light import with_palette
from tests.help.browser import Page, opened

FIGURES = Path(__file__).resolve().parents[2] / "figures"
STEPS = 12  # of half a pixel
FORCE = "(({train, read, pairs}) => { do train(1); while (pairs().Y[read().hand]); })(laboratory) || 0"


def moved_digit(page: Page) -> None:
    """A digit on its way to the right."""
    for step in range(STEPS + 1):
        page.js(f"laboratory.set({{moved: {{right: {step / 2}}}}}) || 0")
        page.js("new Promise(done => requestAnimationFrame(done)) && 0")


def learned_map(page: Page) -> None:
    """An epoch as it is watched, and a similar pair after it."""
    page.resize("desk")
    page.click("epoch")
    page.until("laboratory.read().done === laboratory.pairs().count", 120)
    page.js(f"{FORCE} || laboratory.set({{}})")


def main() -> None:
    """Writes figures/training.png and figures/laboratory.png."""
    for name, source, work, (width, height) in (
        ("laboratory", "map", moved_digit, (1184, 644)),  # without the bar to scroll by
        ("training", "training", learned_map, (1385, 900)),
    ):
        with opened((FIGURES / f"{source}.html").as_uri()) as page:
            work(page)
            shown = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
            picture = page.cdp("Page.captureScreenshot", clip=shown)["data"]
        (FIGURES / f"{name}.png").write_bytes(with_palette(b64decode(picture)))


if __name__ == "__main__":
    main()
