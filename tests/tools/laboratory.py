"""The picture of the training laboratory in README.md: `python -m tests.tools.laboratory` takes it again, in Chromium.

For maintainers. An epoch has passed as one watches it, and a similar pair is at hand.
"""

from base64 import b64decode
from pathlib import Path

from drlim_np.drawing.light import with_palette
from tests.help.browser import opened

FIGURES = Path(__file__).resolve().parents[2] / "figures"
SHOWN = {"x": 0, "y": 0, "width": 1385, "height": 900, "scale": 1}  # without the bar to scroll by
SIMILAR = "(({train, read, pairs}) => { do train(1); while (pairs().Y[read().hand]); })(laboratory)"


def main() -> None:
    """Writes figures/training.png."""
    with opened((FIGURES / "training.html").as_uri()) as page:
        page.resize("desk")
        page.click("epoch")
        page.until("laboratory.read().done === laboratory.pairs().count", 120)
        page.js(f"{SIMILAR} || laboratory.set({{}})")
        picture = page.cdp("Page.captureScreenshot", clip=SHOWN)["data"]
    (FIGURES / "training.png").write_bytes(with_palette(b64decode(picture)))


if __name__ == "__main__":
    main()
