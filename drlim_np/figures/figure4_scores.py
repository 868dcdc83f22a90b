"""Figure 4 once more, each unseen digit coloured by how far its place can be trusted. Not a figure of the paper."""

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from drlim_np.drawing.panels import box, fitted, map_panel, room_for, sheet
from drlim_np.drawing.style import RULES, SLANTS, WIDTH
from drlim_np.figures.digits import LOOKS
from drlim_np.figures.figure4 import INNER, slant_of, trained, turned
from drlim_np.measure import metrics
from drlim_np.runs.record import Claim, Result, Run
from drlim_np.training import embed

CLAIM = "Where Figure 4 can be trusted, and where\nits 4s and 9s part"


@rc_context(RULES)
def make(run: Run) -> Result:
    """Figure 4 by the trust and the silhouette of each digit, drawn on request; not a figure of the paper."""
    digits, found = run.digits(), trained(run, "balanced")
    label, slant = digits.test.labels[found.test], slant_of(digits, found.test)
    params = turned(found.params, embed(found.network, found.params, found.unseen), slant, label)
    z = embed(found.network, params, found.unseen)
    pixels = found.unseen.reshape(len(z), -1)
    trust, part = metrics.trust_of_each(pixels, z, threads=run.threads), metrics.silhouette_of_each(z, label)
    measured = {
        "trustworthiness": metrics.trustworthiness(pixels, z, threads=run.threads),
        "silhouette_by_digit": metrics.silhouette(z, label),
        "local_continuity": metrics.local_continuity(pixels, z, threads=run.threads),
        "rank_error": metrics.rank_error(pixels, z, threads=run.threads),
        "rank_error_of_lost_neighbours": metrics.rank_error(z, pixels, threads=run.threads),
        "distance_correlation": metrics.distance_correlation(pixels, z),
    }
    off = abs(trust.mean() - measured["trustworthiness"]), abs(part.mean() - measured["silhouette_by_digit"])
    claims = [Claim("means of the scores, against those of all digits", float(max(off)), "≤", 1e-9)]
    words = f"{len(z):,} unseen digits, {digits.title}: trustworthiness {measured['trustworthiness']:.3f},\n"
    words += f"silhouette {measured['silhouette_by_digit']:.3f}, LCMC {measured['local_continuity']:.3f}, rank error"
    words += f" {measured['rank_error']:.3f},\ncorrelation of distances {measured['distance_correlation']:.3f}"
    scores = {"trust": trust, "silhouette by digit": part}
    return Result(_draw(z, label, scores, words), claims, {"neighbours": 12}, digits, measured)


def _draw(z: np.ndarray, label: np.ndarray, scores: dict[str, np.ndarray], words: str) -> Figure:
    """The map once for each score, its scale below it; each digit in its marker."""
    top, foot = room_for(CLAIM, words)
    tall = np.ptp(z, axis=0)[1] / fitted(z, *INNER) + 1.1
    figure = sheet(top + len(scores) * tall + foot, CLAIM, words)
    for number, (name, score) in enumerate(scores.items()):
        axes, _ = map_panel(figure, (0, top + number * tall, WIDTH, tall), z, INNER)
        ends = np.quantile(score, [0.02, 0.98])
        for digit, (_, marker) in LOOKS.items():
            of = label == digit
            drawn = axes.scatter(
                *z[of].T, c=score[of], marker=marker, s=14, linewidths=0, cmap=SLANTS, vmin=ends[0], vmax=ends[1]
            )
        axes.text(0.015, 0.985, name, transform=axes.transAxes, va="top", weight="bold")
        bar = figure.add_axes(box(figure, 6.45, top + (number + 1) * tall - 0.55, 1.0, 0.14))
        figure.colorbar(drawn, cax=bar, orientation="horizontal", extend="both").outline.set_visible(False)
        bar.set_xticks([])
        for x, end, side in ((-0.1, ends[0], "right"), (1.1, ends[1], "left")):
            bar.text(x, 0.5, f"{end:.2f}".replace("-", "−"), transform=bar.transAxes, ha=side, va="center")
    return figure
