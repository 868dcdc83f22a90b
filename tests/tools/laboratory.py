"""The picture of the map laboratory in README.md: `python -m tests.tools.laboratory` takes it again, in Chromium.

For maintainers. An unseen digit has moved 6 pixels to the right, so that both maps show its trail.
"""

from base64 import b64decode
from pathlib import Path

from drlim_np.drawing.light import with_palette
from tests.help.browser import opened

FIGURES = Path(__file__).resolve().parents[2] / "figures"
STEPS = 12  # of half a pixel
SHOWN = {"x": 0, "y": 0, "width": 1184, "height": 644, "scale": 1}  # without the bar to scroll by


def main() -> None:
    """Writes figures/laboratory.png."""
    with opened((FIGURES / "map.html").as_uri()) as page:
        for step in range(STEPS + 1):
            page.js(f"laboratory.set({{moved: {{right: {step / 2}}}}}) || 0")
            page.js("new Promise(done => requestAnimationFrame(done)) && 0")
        picture = page.cdp("Page.captureScreenshot", clip=SHOWN)["data"]
    (FIGURES / "laboratory.png").write_bytes(with_palette(b64decode(picture)))


if __name__ == "__main__":
    main()
