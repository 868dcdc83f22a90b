"""How strong is the suite? Deliberate faults, each put into a copy of the sources: some test must fail for every one.

For maintainers, out of the default run: `python -m tests.tools.faults` takes a while, with `loss lle` it takes these
modules alone. Prints each fault and whether it was caught; exit status 1 if one survives. A new formula
gets its faults here: a sign, a factor, an index, an axis, an inequality. A change that no test can see because it
changes nothing, such as > for ≥ where both sides give 0, is no fault. What `mutants` makes by itself is here only for
the exact proofs, or if it is on record.
"""

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
LOADED = "ignore::pytest.PytestAssertRewriteWarning"  # a plugin of pytest's that is loaded before it
LIMIT = 600  # seconds: a fault that keeps a test from ending is caught too
TESTS = {  # of a module that is not here, those of its own name
    "loss": [
        "loss",
        "paper",
        "all_pairs",
        "arrays",
        "modules",
        "siamese",
        "properties",
        "figure2",
        "gradients",
        "audit",
    ],
    "all_pairs": ["all_pairs", "modules", "gradients", "audit"],
    "siamese": ["siamese", "paper"],
    "layers": ["layers", "arrays", "modules", "gradients", "audit"],
    "patches": ["maps", "layers"],
    "maps": ["maps", "layers"],
    "fast/memory": ["memory", "layers", "other_machines"],
    "blocks": ["blocks", "arrays", "modules"],
    "copies": ["sampled_copies"],
    "textbook": ["layers"],
    "arrays": ["arrays", "other_machines", "layers", "modules", "loss", "training"],
    "backend": ["modules", "layers"],
    "networks": ["layers", "gradients", "audit", "figures"],
    "objective": ["objective", "arrays", "gradients", "audit"],
    "training": ["training", "modules"],
    "knn": ["knn", "neighbours", "memory"],
    "neighbours": ["neighbours", "paper", "graph"],
    "graph": ["graph", "objective", "loss"],
    "tiles": ["all_pairs", "graph", "objective", "loss"],
    "derived": ["exact"],
    "checks/numbers": ["numbers", "loss", "graph", "other_machines"],
    "estimator/inputs": ["other_machines"],
    "data/files": ["published"],
    "directory": ["download", "directory"],
    "mnist": ["mnist", "published"],
    "norb": ["norb", "published"],
    "npz": ["weights", "cache", "published"],
    "terminal": ["terminal", "training", "jobs"],
    "errors": ["terminal", "training"],
    "devices": ["cupy", "modules"],
    "atomic": ["atomic", "record", "cache"],
}


def the_one(folder: str, name: str) -> Path:
    """The file of that name in the folder or below it, relative to the root; there must be one."""
    (found,) = (ROOT / folder).rglob(name)
    return found.relative_to(ROOT)


class Fault(NamedTuple):
    """In MODULE.py of drlim_np or a wing of it, or in wing/MODULE.py, the text `old`, which stands there once, becomes `new`."""

    module: str
    what: str
    old: str
    new: str

    @property
    def path(self) -> Path:
        """Where the module is, relative to the root."""
        return the_one("drlim_np", f"{self.module}.py")

    def source(self) -> str:
        """The module with the fault. Raises ValueError if the text has changed, so that the fault must be renewed."""
        text = (ROOT / self.path).read_text(encoding="utf-8")
        if text.count(self.old) != 1 or self.old == self.new:
            raise ValueError(f"{self.module}: {self.what}: {self.old!r} stands there {text.count(self.old)} times")
        return text.replace(self.old, self.new)


FAULTS = [
    # Those of drlim_np/audit/wrong.py, most on record in other implementations.
    Fault("arrays", "label convention flipped", "else y == 0\n", "else y == 1\n"),
    Fault("arrays", "label convention flipped for booleans", "~y if truths", "y if truths"),
    Fault("loss", "margin - D² for (margin - D)²", "    return gap * gap / 2\n", "    return missing(d * d, margin) / 2\n"),
    Fault("loss", "(margin - D²)² for (margin - D)²", "gap = missing(d, require", "gap = missing(d * d, require"),
    Fault("loss", "mean in both", "    return loss, dz1, -dz1", "    return loss / len(d), dz1 / len(d), -dz1 / len(d)"),
    Fault("loss", "similar term not squared", "return d * d / 2", "return d / 2"),
    Fault("loss", "½ missing from L_S", "return d * d / 2", "return d * d"),
    Fault("loss", "½ missing from L_D", "    return gap * gap / 2\n", "    return gap * gap\n"),
    Fault("loss", "NaN at D = 0", "return _at_least(d, kind(d).least_root)", "return d"),
    Fault("loss", "an epsilon in D", "_at_least(margin - d, 0.0)", "_at_least(margin - (d + 1e-9), 0.0)"),
    Fault("loss", "a push that fades next to D = 0", "_at_least(d, kind(d).least_root)", "_at_least(d, 1e-9)"),
    Fault("loss", "no hinge", "return _at_least(margin - d, 0.0)", "return margin - d"),
    Fault("loss", "epsilon in the difference", "difference = z1 - z2\n", "difference = z1 - z2 + 1e-6\n"),
    Fault("loss", "epsilon in the difference of the gradient", "dz1 = xp.where(is_similar, pull, push)[:, None] * (z1 - z2)\n", "dz1 = xp.where(is_similar, pull, push)[:, None] * (z1 - z2 + 1e-6)\n"),
    Fault("loss", "epsilon under the root", "sum(difference * difference, axis=1))", "sum(difference**2, axis=1) + 1e-9)"),
    Fault("loss", "second tower with the first's sign", "return loss, dz1, -dz1", "return loss, dz1, dz1"),
    Fault("loss", "sigmoid on the distance", "    xp = namespace(z1)\n    loss", "    xp = namespace(z1)\n    d = 1 / (1 + xp.exp(-d))\n    loss"),
    Fault("loss", "mean in the loss, sum in the gradient", "loss = xp.sum(xp.where(is_similar,", "loss = xp.mean(xp.where(is_similar,"),
    Fault("loss", "sum in the loss, mean in the gradient", "dz1 = xp.where(is_similar, pull, push)[:, None] * (z1 - z2)\n", "dz1 = xp.where(is_similar, pull, push)[:, None] * (z1 - z2) / len(d)\n"),
    Fault("all_pairs", "D² from the Gram trick", "[end[rows, :] @ other[:, columns] for end, other in ends]", "[xp.copysign(xp.sqrt(xp.abs(x[rows, None] ** 2 + x[None, columns] ** 2 - 2 * x[rows, None] * x[None, columns])), x[rows, None] - x[None, columns]) for x in coordinates]"),
    # The loss, Eqs. 1 to 7.
    Fault("loss", "D with absolute values", "xp.sum(difference * difference, axis=1)", "xp.sum(abs(difference) ** 2, axis=1)"),
    Fault("loss", "D² for D", "return xp.sqrt(xp.sum(difference * difference, axis=1))", "return xp.sum(difference * difference, axis=1)"),
    Fault("loss", "D over the wrong axis", "axis=1))", "axis=0))"),
    Fault("loss", "a complex step without the hinge", "real(x) <= least", "real(x) <= -np.inf"),
    Fault("loss", "a complex step NaN at D = 0", "where(real(x) <= least, least, x)", "where(real(x) <= least, 0, x)"),
    Fault("loss", "hinge on the wrong side", "real(x) <= least", "real(x) > least"),
    Fault("all_pairs", "gap of the other sign", "    gap = margin - d\n", "    gap = d - margin\n"),
    Fault("all_pairs", "difference of the other sign", "xp.stack([one, -x])", "-xp.stack([one, -x])"),
    Fault("loss", "repulsion attracts", "return -missing", "return missing"),
    Fault("loss", "push of the given pairs not divided by D", "-missing(d, margin) / at_least_tiny(d)", "-missing(d, margin)"),
    Fault("loss", "all pairs: the second end left out", "    np.add.at(dz, j, dz2)\n", ""),
    Fault("loss", "all pairs: of pairs that share a sample only the last", "np.add.at(dz, i, dz1)", "dz[i] += dz1"),
    Fault("loss", "attraction of the wrong stiffness", "pull = xp.ones_like(d)", "pull = 2 * xp.ones_like(d)"),
    Fault("all_pairs", "push not divided by D", "    gap /= d\n", ""),
    Fault("loss", "terms exchanged", "xp.where(is_similar, similar_loss(d), dissimilar_loss(d, margin))", "xp.where(is_similar, dissimilar_loss(d, margin), similar_loss(d))"),
    Fault("all_pairs", "push left out", "return attraction + repulsion, pull + push", "return attraction + repulsion, pull"),
    Fault("all_pairs", "pairs of the similar sum counted twice", "return squares / 4, xp", "return squares / 2, xp"),
    Fault("all_pairs", "similar force of the other sign", "dz.append(xp.sum(difference, axis=1))", "dz.append(-xp.sum(difference, axis=1))"),
    Fault("all_pairs", "½ missing from the sum over tiles", "return loss / 2, xp.take", "return loss, xp.take"),
    Fault("all_pairs", "rows pushed the wrong way", "rows, -on_rows", "rows, on_rows"),
    Fault("all_pairs", "columns pushed the wrong way", "columns, on_columns)", "columns, -on_columns)"),
    Fault("all_pairs", "weight of the other end left out", "(difference @ w2, w1 @ difference)", "(difference.sum(axis=1), w1 @ difference)"),
    Fault("all_pairs", "own weight left out", "[weight * dz for dz in gradient]", "gradient"),
    Fault("all_pairs", "weight left out of the loss", "cost = w1 @ (gap * gap) @ w2", "cost = (gap * gap).sum()"),
    Fault("all_pairs", "gradient left in the order of the tiles", "return loss / 2, xp.take(dz, place, axis=0)", "return loss / 2, dz"),
    Fault("all_pairs", "gradient taken by the wrong order", "xp.take(dz, place, axis=0)", "xp.take(dz, order, axis=0)"),
    Fault("all_pairs", "weights left in the order of the samples", "    weight = xp.take(weight, order)\n", ""),
    Fault("all_pairs", "no hinge", "xp.clip(d, least, margin)", "xp.clip(d, least, None)"),
    Fault("all_pairs", "NaN at D = 0", "xp.clip(d, least, margin)", "xp.clip(d, 0.0, margin)"),
    Fault("all_pairs", "an epsilon in D", "xp.clip(d, least, margin)", "xp.clip(d, 1e-9, margin)"),
    Fault("all_pairs", "a complex step without the hinge", "xp.where(real(d) >= margin, margin, xp", "xp.where(real(d) >= np.inf, margin, xp"),
    Fault("all_pairs", "a complex step NaN at D = 0", "xp.where(real(d) <= least, least, d)", "xp.where(real(d) <= least, 0, d)"),
    Fault("all_pairs", "similar pairs in the dissimilar sum", "        gap = zero_at(gap, similar_pairs)\n", "        pass\n"),
    Fault("all_pairs", "a sample paired with itself", "xp.triu(gap, k=1)", "xp.triu(gap, k=0)"),
    Fault("all_pairs", "pairs inside a tile from both ends", "    if among:\n", "    if False:\n"),
    Fault("all_pairs", "pairs of tiles in two groups", "tiles[group::groups]", "tiles[max(0, group - 1) :: groups]"),
    Fault("all_pairs", "a group left out", "for first, *others in", "for _, first, *others in"),
    Fault("all_pairs", "similar pairs at the wrong places", "place[graph.edges]", "order[graph.edges]"),
    Fault("checks/numbers", "infinite margin allowed", "0 < value < inf", "0 < value"),
    Fault("arrays", "a margin whose square underflows", "require(least < m < 1 / least", "require(0 < m < 1 / least"),
    Fault("arrays", "a margin whose square overflows", "require(least < m < 1 / least", "require(least < m < 1e300"),
    Fault("arrays", "dy of another shape", "or dy.shape != shape", ""),
    Fault("arrays", "dy of another dtype", "kind(dy).bits != bits or ", ""),
    Fault("arrays", "parameters of another shape", "(got := params[name].shape) != shape", "False"),
    Fault("arrays", "parameters of other names", "params.keys() != set(names)", "params.keys() < set(names)"),
    Fault("arrays", "float16 computed with", "not in (32, 64)", "not in (16, 32, 64)"),
    Fault("arrays", "sizes that promote", "whole_number(field.name, getattr(layer, field.name), 1)", "getattr(layer, field.name)"),
    # The Siamese sum.
    Fault("siamese", "second tower left out", "add(pullback1(dz1).params, pullback2(dz2).params)", "pullback1(dz1).params"),
    Fault("siamese", "second tower twice", "pullback1(dz1).params, ", "pullback2(dz2).params, "),
    Fault("siamese", "one tower's gradient for both", "pullback2(dz2)", "pullback2(dz1)"),
    Fault("siamese", "second tower sees the first's input", "network(params, x2)", "network(params, x1)"),
    Fault("siamese", "inputs exchanged for one tower", "pullback1(dz1)", "pullback1(dz2)"),
    # Layers.
    Fault("layers", "variance for standard deviation", "1 / np.sqrt(self.inputs)", "1 / self.inputs"),
    Fault("layers", "Conv2d: variance for standard deviation", "1 / np.sqrt(prod(shape[1:]))", "1 / prod(shape[1:])"),
    Fault("layers", "Linear: fan-out for fan-in", "1 / np.sqrt(self.inputs)", "1 / np.sqrt(self.outputs)"),
    Fault("layers", "Linear: no bias", "guarded(x @ w.T + b, pullback)", "guarded(x @ w.T, pullback)"),
    Fault("layers", "Linear: bias subtracted", "guarded(x @ w.T + b", "guarded(x @ w.T - b"),
    Fault("layers", "Linear: weight gradient of the other sign", "dy.T @ x,", "-dy.T @ x,"),
    Fault("layers", "Linear: mean for sum in the bias gradient", '"bias": namespace(dy).sum(dy, axis=0)', '"bias": namespace(dy).mean(dy, axis=0)'),
    Fault("layers", "Linear: gradient to the input of the other sign", "dy @ w if", "-dy @ w if"),
    Fault("layers", "Conv2d: bias left out", 'plus(y, spread(params["bias"], y))', "y"),
    Fault("layers", "Conv2d: bias subtracted", 'plus(y, spread(params["bias"], y))', 'plus(y, -spread(params["bias"], y))'),
    Fault("patches", "rows for columns in the kernel", "(kernels, (0, 2, 3, 1))", "(kernels, (0, 3, 2, 1))"),
    Fault("patches", "rows for columns in the kernel gradient", "size, size, channels)), (0, 3, 1, 2))", "size, size, channels)), (0, 3, 2, 1))"),
    Fault("layers", "Conv2d: kernel gradient of the other sign", "sum(dy_i @ patches", "sum(-dy_i @ patches"),
    Fault("layers", "Conv2d: kernel gradient of the first row", "patches(x, size, columns).mT, axis=0)", "patches(x, size, columns).mT, axis=0) * 0 + (dy_i @ patches(x, size, columns).mT)[0, ...]"),
    Fault("layers", "Conv2d: bias gradient of the other sign", '["weight"].shape), "bias": sum_by_map(dy_i)', '["weight"].shape), "bias": -sum_by_map(dy_i)'),
    Fault("patches", "the first row of patches everywhere", "xp.reshape(_runs(strip, size, axis=0), (rows", "xp.reshape(_runs(strip, size, axis=0)[:1, ...] + 0 * _runs(strip, size, axis=0), (rows"),
    Fault("patches", "columns and samples backwards", "runs = _runs(xp.reshape(x, (rows, channels, columns, -1)), size, axis=2)", "runs = _runs(xp.reshape(x[:, :, ::-1], (rows, channels, columns, -1)), size, axis=2)"),
    Fault("patches", "channels before columns in a strip", "(runs, (0, 3, 1, 2, 4))", "(runs, (0, 1, 3, 2, 4))"),
    Fault("backend", "overwritten instead of added", "    x[place] += values", "    x[place] = values"),
    Fault("patches", "fold: all in the first columns", "slice(j, j + size)", "slice(0, size)"),
    Fault("patches", "fold: rows and columns of a patch exchanged", "j, :], (0, 2, 1, 3))", "j, :], (1, 2, 0, 3))"),
    Fault("layers", "Conv2d: gradient to the input of the other sign", "fold(w.T @ dy_i,", "fold(-w.T @ dy_i,"),
    Fault("layers", "Subsample: sum for mean", 'params["coefficient"] / area', 'params["coefficient"]'),
    Fault("layers", "Subsample: mean over the side", 'params["coefficient"] / area', 'params["coefficient"] / self.window'),
    Fault("maps", "rows of the window alone", "reduce(add, (columns[..., k, :] for k in range(size)))", "columns[..., 0, :] * size"),
    Fault("layers", "Subsample: coefficient left out of the gradient", "over_windows(slope * dy_i,", "over_windows(dy_i / area,"),
    Fault("layers", "Subsample: window left out of the gradient", "over_windows(slope * dy_i,", "over_windows(area * slope * dy_i,"),
    Fault("layers", "Subsample: gradient not times the sum", "sum_by_map(dy_i * sums)", "sum_by_map(dy_i)"),
    Fault("layers", "Subsample: sum for mean in the gradient", "sum_by_map(dy_i * sums) / area", "sum_by_map(dy_i * sums)"),
    Fault("layers", "Subsample: bias gradient of the other sign", '/ area, "bias": sum_by_map(dy_i)', '/ area, "bias": -sum_by_map(dy_i)'),
    Fault("layers", "Subsample: bias subtracted", "slope * sums + b", "slope * sums - b"),
    Fault("maps", "bias gradient of the first row", "sum(namespace(x).sum(x, axis=0), axis=1)", "sum(x[0, ...], axis=1)"),
    Fault("maps", "images mirrored by row", "permute_dims(images, (2, 1, 3, 0))", "permute_dims(images, (3, 1, 2, 0))"),
    Fault("maps", "window of the other pixels", "(height, 1, maps, width // size, 1, samples)", "(1, height, maps, 1, width // size, samples)"),
    Fault("textbook", "kernel flipped", "x[n, c, i + u, j + v]\n    return y", "x[n, c, i + weight.shape[2] - 1 - u, j + v]\n    return y"),
    Fault("textbook", "bias left out", "y[n, m, i, j] = bias[m]", "y[n, m, i, j] = 0"),
    Fault("textbook", "gradient of the other sign", "dx[n, c, i + u, j + v] +=", "dx[n, c, i + u, j + v] -="),
    Fault("patches", "a run too few", "runs = x.shape[axis] - size + 1", "runs = x.shape[axis] - size"),
    Fault("patches", "every second run", "x.strides[: axis + 1] + x.strides[axis:]", "x.strides[:axis] + (2 * x.strides[axis],) + x.strides[axis:]"),
    Fault("patches", "mirrored on a device", "for u in range(size)], axis=axis + 1)", "for u in reversed(range(size))], axis=axis + 1)"),
    Fault("arrays", "images of any number of maps taken", "x.ndim == 4 and x.shape[1] == maps", "x.ndim == 4"),
    Fault("arrays", "one side that fits is enough", "min(x.shape[2:]) >= least", "max(x.shape[2:]) >= least"),
    Fault("arrays", "one side that is a multiple is enough", "x.shape[2] % unit == x.shape[3] % unit == 0", "x.shape[2] % unit == 0"),
    Fault("patches", "a step along another axis", "x.strides[: axis + 1] + x.strides[axis:]", "x.strides[: axis + 1] + x.strides[:1] + x.strides[axis + 1 :]"),
    Fault("maps", "a term subtracted in place", "y += b", "y -= b"),
    Fault("maps", "Tanh: 1 + y²", "    square *= -1\n", ""),
    Fault("maps", "Tanh: 1 - y", "square = y * y", "square = y * 1"),
    Fault("layers", "Tanh: of the input, not the output", "one_minus_square(y) if", "one_minus_square(x) if"),
    Fault("layers", "Flatten: maps innermost", "namespace(x).reshape(x, (-1", "namespace(x).reshape(namespace(x).permute_dims(x, (0, 2, 3, 1)), (-1"),
    Fault("layers", "Sequential: pullbacks in forward order", "for name in reversed(self.layers):", "for name in self.layers:"),
    Fault("blocks", "the last block left out", "reduce(add, (gradient.params for gradient in gradients))", "reduce(add, (gradient.params for gradient in gradients[: max(1, len(gradients) - 1)]))"),
    Fault("blocks", "what other threads did left out", "return sum((part.result() for part in theirs), list(map(function, mine)))", "return list(map(function, mine))"),
    Fault("blocks", "as many rows of dy as samples", "accumulate(len(y) for y in outputs)", "(b.stop for b in blocks)"),
    Fault("copies", "a drawn pair stands for all, each in full", "np.repeat(1 / n, n)", "np.ones(n.sum())"),
    Fault("copies", "dissimilar pairs of one draw counted", " - of_draw.T @ of_draw", ""),
    Fault("copies", "the degree of a copy, not of a character", ".sum(axis=1)\n\n    @cached", ".mean(axis=1)\n\n    @cached"),
    Fault("copies", "similar pairs repel too", "weights[i, j] = weights[j, i] = 0", "pass"),
    Fault("copies", "a copy is at D = 0 from itself", "np.fill_diagonal(weights, 0)", "pass"),
    Fault("copies", "similar pairs felt at one end", "return weights + weights.T", "return 2 * weights"),
    Fault("copies", "draws paired with themselves", "draws * (draws - 1) * graph", "draws * draws * graph"),
    Fault("copies", "exact: λ forgotten", "* lam / ((1 + lam)", "/ ((1 + lam)"),
    Fault("copies", "the force of similar pairs not weighted", "force = a - r * gap", "force = 1 - r * gap"),
    Fault("copies", "loss of similar pairs", "xp.sum(a * d * d", "xp.sum(a * d"),
    Fault("copies", "loss doubled", "gap * gap) / 4", "gap * gap) / 2"),
    Fault("blocks", "each block the first one's gradient", "pullbacks[b](dy[", "pullbacks[0](dy["),
    Fault("networks", "window of S2", "maps=15, window=3", "maps=15, window=9"),
    # Wrong pullbacks: a sign, an index, a factor, an axis of each.
    Fault("layers", "Linear: weight gradient doubled", '"weight": dy.T @ x,', '"weight": 2 * dy.T @ x,'),
    Fault("layers", "Linear: weight gradient of the first sample", '"weight": dy.T @ x,', '"weight": dy[:1, :].T @ x[:1, :],'),
    Fault("layers", "Linear: weight gradient of the inputs backwards", '"weight": dy.T @ x,', '"weight": dy.T @ x[:, ::-1],'),
    Fault("layers", "Linear: bias gradient of the other sign", '"bias": namespace(dy).sum(dy, axis=0)', '"bias": -namespace(dy).sum(dy, axis=0)'),
    Fault("layers", "Linear: bias gradient of the first sample", '"bias": namespace(dy).sum(dy, axis=0)', '"bias": dy[0, :]'),
    Fault("layers", "Linear: gradient to the input doubled", "dy @ w if", "2 * dy @ w if"),
    Fault("layers", "Linear: gradient to the input from the outputs backwards", "dy @ w if", "dy[:, ::-1] @ w if"),
    Fault("layers", "Conv2d: kernel gradient doubled", "sum(dy_i @ patches", "sum(2 * dy_i @ patches"),
    Fault("layers", "Conv2d: kernel gradient of all rows but the first", "sum(dy_i @ patches(x, size, columns).mT", "sum((dy_i @ patches(x, size, columns).mT)[1:, ...]"),
    Fault("layers", "Conv2d: kernel gradient mirrored", "as_kernels(dw, params", "as_kernels(dw[:, ::-1], params"),
    Fault("layers", "Conv2d: kernel gradient a mean over the samples", "mT, axis=0)", "mT, axis=0) / dy.shape[0]"),
    Fault("layers", "Conv2d: bias gradient doubled", '["weight"].shape), "bias": sum_by_map(dy_i)', '["weight"].shape), "bias": 2 * sum_by_map(dy_i)'),
    Fault("layers", "Conv2d: gradient to the input doubled", "fold(w.T @ dy_i,", "fold(2 * w.T @ dy_i,"),
    Fault("layers", "Conv2d: gradient to the input by the mirrored kernel", "fold(w.T @ dy_i,", "fold(w[:, ::-1].T @ dy_i,"),
    Fault("layers", "Conv2d: gradient to the input from the maps backwards", "fold(w.T @ dy_i,", "fold(w[::-1, :].T @ dy_i,"),
    Fault("layers", "Subsample: coefficient gradient of the other sign", '"coefficient": sum_by_map(', '"coefficient": -sum_by_map('),
    Fault("layers", "Subsample: coefficient gradient of the maps backwards", "sum_by_map(dy_i * sums)", "sum_by_map(dy_i * sums[:, ::-1, :])"),
    Fault("layers", "Subsample: bias gradient doubled", '/ area, "bias": sum_by_map(dy_i)', '/ area, "bias": 2 * sum_by_map(dy_i)'),
    Fault("layers", "Subsample: gradient to the input of the other sign", "over_windows(slope * dy_i,", "over_windows(-slope * dy_i,"),
    Fault("layers", "Subsample: gradient to the input upside down", "over_windows(slope * dy_i,", "over_windows(slope * dy_i[::-1, ...],"),
    Fault("layers", "Subsample: gradient to the input of another sample", "over_windows(slope * dy_i,", "over_windows(slope * dy_i[..., ::-1],"),
    Fault("layers", "Tanh: gradient of the other sign", "dy * one_minus_square(y) if", "-dy * one_minus_square(y) if"),
    Fault("layers", "Tanh: gradient doubled", "dy * one_minus_square(y) if", "2 * dy * one_minus_square(y) if"),
    Fault("layers", "Tanh: slope left out", "dy * one_minus_square(y) if", "dy if"),
    Fault("layers", "Tanh: slope squared", "dy * one_minus_square(y) if", "dy * one_minus_square(y) ** 2 if"),
    Fault("layers", "Positions: columns before rows", "(0, 2, 3, 1)), (-1", "(0, 3, 2, 1)), (-1"),
    Fault("layers", "Positions: gradient to another place", "(samples, height, width, maps)), (0, 3, 1, 2))", "(samples, width, height, maps)), (0, 3, 2, 1))"),
    Fault("layers", "Flatten: gradient backwards", "reshape(dy, x.shape)", "reshape(dy[:, ::-1], x.shape)"),
    Fault("patches", "fold: the first column left out", "for j in range(width):", "for j in range(1, width):"),
    Fault("patches", "fold: the last row left out", "for i in range(height):", "for i in range(height - 1):"),
    Fault("patches", "fold: subtracted", "place, xp.permute_dims(dp", "place, -xp.permute_dims(dp"),
    Fault("patches", "fold: columns from the other end", "dpatches[i, :, :, :, j, :]", "dpatches[i, :, :, :, width - 1 - j, :]"),
    Fault("patches", "fold: rows from the other end", "dpatches[i, :, :, :, j, :]", "dpatches[height - 1 - i, :, :, :, j, :]"),
    Fault("patches", "fold: doubled", "place, xp.permute_dims(", "place, 2 * xp.permute_dims("),
    Fault("maps", "over_windows: a mean for a sum", "broadcast_to(dsums,", "broadcast_to(dsums / size,"),
    Fault("maps", "over_windows: of the other sign", "broadcast_to(dsums,", "broadcast_to(-dsums,"),
    Fault("maps", "images mirrored on the way back", "width, -1)), (3, 1, 0, 2))", "width, -1)), (3, 1, 2, 0))"),
    Fault("loss", "gradient doubled", "dz1 = xp.where(is_similar, pull, push)[:, None] * (z1 - z2)\n", "dz1 = 2 * xp.where(is_similar, pull, push)[:, None] * (z1 - z2)\n"),
    Fault("loss", "½ in the gradient", "dz1 = xp.where(is_similar, pull, push)[:, None] * (z1 - z2)\n", "dz1 = xp.where(is_similar, pull, push)[:, None] * (z1 - z2) / 2\n"),
    Fault("loss", "one end for the difference", "dz1 = xp.where(is_similar, pull, push)[:, None] * (z1 - z2)\n", "dz1 = xp.where(is_similar, pull, push)[:, None] * z1\n"),
    Fault("loss", "coordinates of the force backwards", "dz1 = xp.where(is_similar, pull, push)[:, None] * (z1 - z2)\n", "dz1 = xp.where(is_similar, pull, push)[:, None] * (z1 - z2)[:, ::-1]\n"),
    Fault("loss", "force of another pair", "dz1 = xp.where(is_similar, pull, push)[:, None] * (z1 - z2)\n", "dz1 = xp.where(is_similar, pull, push)[::-1, None] * (z1 - z2)\n"),
    Fault("loss", "both ends with the other's force", "return loss, dz1, -dz1", "return loss, -dz1, dz1"),
    Fault("loss", "second tower at rest", "return loss, dz1, -dz1", "return loss, dz1, 0 * dz1"),
    Fault("loss", "push divided by m", "-missing(d, margin) / at_least_tiny(d)", "-missing(d, margin) / margin"),
    Fault("loss", "push divided by D²", "-missing(d, margin) / at_least_tiny(d)", "-missing(d, margin) / (at_least_tiny(d) * at_least_tiny(d))"),
    Fault("loss", "push of D for m - D", "-missing(d, margin) / at_least_tiny(d)", "-d / at_least_tiny(d)"),
    # The objective.
    Fault("objective", "exact weighting the wrong way round", "graph.dissimilar_count / graph.listed_count)", "graph.listed_count / graph.dissimilar_count)"),
    Fault("objective", "weighting risen at the end only", "min(1.0, 2 * progress)", "min(1.0, progress)"),
    Fault("objective", "weighting that does not stop rising", "min(1.0, 2 * progress)", "2 * progress"),
    Fault("objective", "degree not undone", "/ graph.degree[samples]\n", "/ graph.degree[samples].mean()\n"),
    Fault("objective", "times drawn left out", "weight = times * (2", "weight = (2"),
    Fault("objective", "couples of draws", "len(drawn) * (len(drawn) - 1) / 2", "len(drawn) * len(drawn) / 2"),
    Fault("objective", "scale of the pairs seen", "expected_dissimilar = 4 *", "expected_dissimilar = 2 *"),
    Fault("objective", "push with the weight of the pull", "pullback(a * pull + b * push)", "pullback(a * pull + a * push)"),
    Fault("objective", "shares exchanged", "a = 1 / ((1 + lam) * similar_count)\n    b = lam /", "a = lam / ((1 + lam) * similar_count)\n    b = 1 /"),
    Fault("objective", "1 + λ left out", "lam / ((1 + lam) * dissimilar_count)", "lam / dissimilar_count"),
    # The optimisers.
    Fault("training", "cosine of half the height", "(1 + cos(pi * progress)) / 2", "(1 + cos(pi * progress)) / 4"),
    Fault("training", "SGD: momentum on the gradient", "momentum * v + g", "v + momentum * g"),
    Fault("training", "SGD: momentum of the other sign", "momentum * v + g", "g - momentum * v"),
    Fault("training", "SGD: rate without its schedule", "rate = float(self.rate * factor)", "rate = float(self.rate)"),
    Fault("training", "progress that reaches 1", "progress = (number - 1) / steps", "progress = number / steps"),
    Fault("training", "a step too few", "range(1, steps + 1)", "range(1, steps)"),
    Fault("arrays", "NaN goes on", "    return bool(to_host(xp.all(", "    return True or bool(to_host(xp.all("),
    Fault("arrays", "weights that are not finite go on", "_finite([loss, *(w for _, w in leaves(params))])", "_finite([loss])"),
    # The paper on one page, and the coordinates that its airplane is trained in.
    Fault("verbatim", "turns of azimuth wrap", "azimuth[:, None].astype(int)", "azimuth[:, None]"),
    Fault("verbatim", "the circle of azimuths not closed", "np.minimum(turn, around - turn)", "turn"),
    Fault("verbatim", "label convention flipped", "1 - similar[i, j]", "similar[i, j]"),
    Fault("verbatim", "pairs with themselves", "k=1)", "k=0)"),
    Fault("verbatim", "variance for standard deviation", "/ np.sqrt(hidden)", "/ hidden"),
    Fault("verbatim", "no tanh", "h = np.tanh(A.dot(x) + a)", "h = A.dot(x) + a"),
    Fault("verbatim", "no bias of the hidden units", "np.tanh(A.dot(x) + a)", "np.tanh(A.dot(x))"),
    Fault("verbatim", "½ missing from L_S", "(1 - Y) * D**2 / 2", "(1 - Y) * D**2"),
    Fault("verbatim", "½ missing from L_D", "np.maximum(0, m - D) ** 2 / 2", "np.maximum(0, m - D) ** 2"),
    Fault("verbatim", "loss without the hinge", "np.maximum(0, m - D)", "(m - D)"),
    Fault("verbatim", "loss: margin - D² for (margin - D)²", "np.maximum(0, m - D) ** 2", "np.maximum(0, m - D**2)"),
    Fault("verbatim", "similar pairs pushed apart", "dz = z1 - z2  #", "dz = z2 - z1  #"),
    Fault("verbatim", "similar pull of twice the stiffness", "dz = z1 - z2  #", "dz = 2 * (z1 - z2)  #"),
    Fault("verbatim", "push not divided by D", "(m - D) * (z1 - z2) / D", "(m - D) * (z1 - z2)"),
    Fault("verbatim", "no hinge", "not 0 < D < m", "not 0 < D"),
    Fault("verbatim", "NaN at D = 0", "not 0 < D < m", "not D < m"),
    Fault("verbatim", "tanh's slope of the first tower left out", "dz @ B * (1 - h1**2)", "dz @ B"),
    Fault("verbatim", "tanh's slope 1 - h", "(1 - h2**2)", "(1 - h2)"),
    Fault("verbatim", "one tower's slope for both", "(1 - h2**2)", "(1 - h1**2)"),
    Fault("verbatim", "second tower left out", "np.outer(da1, x1) + np.outer(da2, x2)", "np.outer(da1, x1)"),
    Fault("verbatim", "second tower sees the first's input", "np.outer(da2, x2)", "np.outer(da2, x1)"),
    Fault("verbatim", "second tower's bias left out", "rate * (da1 + da2)", "rate * da1"),
    Fault("verbatim", "last layer told of one tower alone", "np.outer(dz, h1 - h2)", "np.outer(dz, h1)"),
    Fault("verbatim", "ascent", "    A -= rate", "    A += rate"),
    Fault("verbatim", "the last layer moved at no rate", "B -= rate * np.outer", "B -= np.outer"),
    Fault("verbatim", "pairs swept backwards", "zip(*pairs.tolist(), rates.tolist(), strict=True)", "list(zip(*pairs.tolist(), rates.tolist(), strict=True))[::-1]"),
    Fault("verbatim", "one rate for all", "update(W, x[i], x[j], Y, m, rate)", "update(W, x[i], x[j], Y, m, rates[0])"),
    Fault("verbatim", "a rate that falls in steps", "(epoch + np.arange(count) / count)", "(epoch + 0 * np.arange(count) / count)"),
    Fault("verbatim", "a rate that rises", "np.arange(count) / count", "1 - np.arange(count) / count"),
    Fault("verbatim", "numbers of an untrained map", "rng.permutation(pairs, axis=1), MARGIN", "pairs[:, :0], MARGIN"),
    Fault("split", "unseen views trained on", "np.sort(shuffled[TRAIN:])", "np.sort(shuffled[TRAIN - 1 :])"),
    Fault("split", "the first views trained on", "rng.permutation(len(views.images))", "np.arange(len(views.images))"),
    Fault("split", "rows left in the order drawn", "np.sort(shuffled[:TRAIN])", "shuffled[:TRAIN]"),
    Fault("split", "background not taken off", "(pixels - np.median(pixels[train])) / 255", "pixels / 255"),
    Fault("split", "background of the unseen views", "np.median(pixels[train])", "np.median(pixels[test])"),
    Fault("split", "the mean for the background", "np.median(", "np.mean("),
    Fault("split", "pixels beyond 1", "/ 255, train", "/ 127, train"),
    Fault("split", "basis of all inputs", "np.linalg.qr(inputs[train].T", "np.linalg.qr(inputs.T"),
    Fault("split", "a basis that is not orthonormal", ")[0].T\n", ")[0].T * 2\n"),
    Fault("split", "coordinates of another basis", "(inputs @ basis.T)", "(inputs @ basis[::-1].T)"),
    Fault("split", "coordinates promoted to float64", ".astype(inputs.dtype), basis", ", basis"),
    # Step 1.
    Fault("fast/memory", "no large pages", "np.empty(31 << 20, np.uint8)\n    ask_for_large_pages()", "np.empty(31 << 20, np.uint8)"),
    Fault("knn", "a sample its own neighbour", "np.fill_diagonal(fast, np.inf)", "np.fill_diagonal(fast, 0)"),
    Fault("knn", "products once, not twice", "(-2 * centred[one])", "(-1 * centred[one])"),
    Fault("knn", "squares of one side only", "        fast += squares[other]\n", ""),
    Fault("knn", "the other tile not told", "keep(*_by_sample(other[column], fast[row, column], one[row]))", "pass"),
    Fault("knn", "the limits of one tile for the other", "fast < limit[other]", "fast < limit[one, None]"),
    Fault("knn", "a limit below what is kept", "distance[rows].max(axis=1)\n", "distance[rows].min(axis=1)\n"),
    Fault("knn", "the pairs of a sample mixed with another's", 'order = np.argsort(one, kind="stable")', "order = np.arange(len(one))"),
    Fault("knn", "the farthest, not the nearest", 'np.argsort(squared, kind="stable")', 'np.argsort(-squared, kind="stable")'),
    Fault("knn", "ties to the larger index", "return np.sort(index, axis=1), distance", "return -np.sort(-index, axis=1), distance"),
    Fault("knn", "missed neighbours not looked for", "beyond[rows] <= radius", "beyond[rows] > np.inf"),
    Fault("knn", "radius of the nearest", "order[:, -1:]", "order[:, :1]"),
    Fault("knn", "boxes left out too soon", "if radius.max() * (1 + 1e-9) < left_out:", "if True:"),
    Fault("knn", "boxes overlap where they are apart", "np.maximum(low - box_high, box_low - high)", "np.minimum(low - box_high, box_low - high)"),
    Fault("knn", "a sample its own neighbour on a map", "others[others != rows[:, None]].reshape", "others[others != rows[::-1, None]].reshape"),
    Fault("knn", "candidates of a box not in order", "candidates = np.sort(", "candidates = np.asarray("),
    Fault("neighbours", "a copy similar to itself missing", "itself, one[one != other], other[one != other]", "itself, one[one < other], other[one < other]"),
    Fault("neighbours", "copies of one shift only", "_between_copies(characters.pairs, one, other, copies)", "_between_copies(characters.pairs, one, one, copies)"),
    Fault("neighbours", "the circle of azimuths not closed", "np.minimum(turn, around - turn) <= 1", "turn <= 1"),
    Fault("neighbours", "each pair from both ends", "np.argwhere(np.triu(contiguous, k=1))", "np.argwhere(contiguous & ~np.eye(len(azimuth), dtype=bool))"),
    Fault("tiles", "edges in one direction only", "np.concatenate([pairs, pairs[:, ::-1]])", "np.concatenate([pairs, pairs])"),
    Fault("graph", "listed pairs taken from the others", "2 - len(self.edges)", "2 - len(self.pairs)"),
    Fault("tiles", "within: not renumbered", "inside = other > one", "inside = other >= 0"),
    Fault("tiles", "box to box, the near corner", "np.maximum(low[k:] - high[k], low[k] - high[k:])", "np.minimum(low[k:] - high[k], low[k] - high[k:])"),
    Fault("tiles", "reach not squared", ">= reach**2", ">= reach / 2"),
    Fault("tiles", "similar pairs not told", "within[first:last]", "within[first:first]"),
    Fault("tiles", "similar pairs seen from their other end", "first, second = np.sort(similar, axis=1).T", "first, second = similar[:, ::-1].T"),
    # LLE.
    Fault("lle", "differences of the other point", "gram = difference @ difference.T", "gram = near @ near.T"),
    Fault("lle", "weights that do not sum to 1", "return weights / weights.sum()", "return weights"),
    Fault("lle", "regularisation not scaled by the trace", "regularisation * (np.trace(gram) or 1)", "regularisation * 1"),
    Fault("lle", "M overwritten", "m[np.ix_(support, support)] +=", "m[np.ix_(support, support)] ="),
    Fault("lle", "the constant eigenvector kept", "    m += 1 / samples  # lifts", "    # lifts"),
    Fault("lle", "the largest eigenvectors", "return basis[:, :count]", "return basis[:, -count:]"),
    Fault("lle", "signs left to chance", "np.sign(z[np.abs(z).argmax(axis=0), np.arange(dims)])", "-np.sign(z[np.abs(z).argmax(axis=0), np.arange(dims)])"),
    Fault("lle", "groups followed forwards", "listed_by[j].append(i)", "listed_by[i].append(j)"),
    Fault("lle", "every start a group", "len(starts(reversed(starts(range(len(neighbours))))))", "len(starts(range(len(neighbours))))"),
    Fault("lle", "triangle solved upwards first", "inverse @ (x[rows] - self", "inverse.T @ (x[rows] - self"),
    Fault("lle", "factor without the blocks before", "            a[rows.start :, rows] -= a[rows.start :, : rows.start] @ a[rows, : rows.start].T\n", ""),
    Fault("lle", "factor times the other triangle", "a[rows.stop :, rows] @ self.inverses[-1].T", "a[rows.stop :, rows] @ self.inverses[-1]"),
    Fault("lle", "product without the triangle below", "self.lower[rows.start :, rows].T @ x[rows.start :]", "self.lower[rows, rows].T @ x[rows]"),
    # Ranks that tie, and what the audit believes.
    Fault("metrics", "rounding never in doubt", "2 * rounding[rows, None]", "0 * rounding[rows, None]"),
    Fault("metrics", "half the doubt forgotten", "of_nearest - doubt, of_nearest + doubt", "of_nearest, of_nearest + doubt"),
    Fault("metrics", "every number on the grid", "rounds = any(", "rounds = 0 * any("),
    Fault("metrics", "no number on the grid", "rounds = any(", "rounds = 1 | any("),
    Fault("gradcheck", "every step's doubt believed", "self.central_error <= 2 * self.central_doubt", "self.central_error > 0"),
    Fault("gradcheck", "no doubt believed", "self.central_error <= 2 * self.central_doubt", "self.central_error < 0"),
    Fault("gradcheck", "a kink excuses the complex step", "confirmed and rejected and self", "rejected and self"),
    Fault("gradcheck", "an array at two leaves changed twice", "if next(names) == name else", "if leaf is x else"),
    Fault("checks/numbers", "a boolean for a number", "np.integer) and not isinstance(value, bool)", "np.integer)"),
    Fault("checks/numbers", "the other byte order let in", "array = native(np.asarray(x))", "array = np.asarray(x)"),
    Fault("checks/numbers", "an index not checked from below", "x[(x < 0) | (x >= size)]", "x[x >= size]"),
    Fault("arrays", "the other byte order in layers", "for name, w in params.items()}, native(x)", "for name, w in params.items()}, x"),
    Fault("estimator/inputs", "pairs counted in the width of an index", "sum(n * (n - 1) // 2 for n in counts[together].tolist())", "int(np.sum((counts * (counts - 1) // 2)[together]))"),
    Fault("fast/memory", "the machine's memory for the process's", "limits.append((2 * sys.maxsize if", "limits.append((2**64 if"),
    Fault("fast/memory", "arrays larger than any", "limits = [sys.maxsize]", "limits = [2**64]"),
    Fault("npz", "Fortran order written", ', order="C")', ")"),
    Fault("npz", "this machine's byte order written", 'array.dtype.newbyteorder("<")', "array.dtype"),
    Fault("directory", "a redirect to http followed", "known = (request.ProxyHandler(),", "known = (request.ProxyHandler(), request.HTTPHandler(),"),
    Fault("checks/numbers", "int64 beyond 2⁵³ rounded", ">= 2**53", "> 2**63"),
    # What is kept between runs.
    Fault("record", "other seeds forgotten", "for seed in seeds_of(before)} if before", "for seed in [before['seed']]} if before"),
    Fault("record", "other settings stand together", "same_data and (chosen[0] == chosen[1] or {} in chosen)", "same_data"),
    Fault("record", "other data stand together", "return same_data and", "return True and"),
    Fault("record", "the record without its picture shown first", "now if pictured else known", "now if True else known"),
    Fault("results", "the mean of the least and the most", "sum(values) / len(values)", "(min(values) + max(values)) / 2"),
    Fault("results", "least and most exchanged", "{min(values):.3f} to {max(values):.3f}", "{max(values):.3f} to {min(values):.3f}"),
    Fault("results", "missing seeds passed over", "if len(values) == len(seeds)", "if True"),
    Fault("results", "the first seed for all", "of_seed(entry, seed), number", "of_seed(entry, seeds[0]), number"),
    Fault("results", "the bound of a claim for its value", "claim[\"value\"] for", "claim[\"bound\"] for"),
    Fault("cache", "digest without the inputs", "[source_digest(), parts]", "[source_digest()]"),
    Fault("cache", "digest without shapes", "[x.dtype.str, x.shape, ", "[x.dtype.str, "),
    Fault("cache", "digest without dtypes", "[x.dtype.str, x.shape, ", "[x.shape, "),
    Fault("npz", "comment not compared", "archive.comment != (expected := _comment(of, len(members)))", "not (expected := _comment(of, len(members)))"),
    Fault("npz", "arrays not counted", 'return f"{of} in {entries} entries".encode()', "return of.encode()"),
    Fault("npz", "two arrays by one name", "len(parts) < len(members)", "False"),
    Fault("npz", "a name that hides others", " or name in branch:", ":"),
    Fault("npz", "a name inside an array", "if part and isinstance(branch, dict) else", "if part else"),
    Fault("npz", "Fortran order read as C", 'order="F" if fortran else "C"', 'order="C"'),
    Fault("npz", "names cut at a NUL", " or not name.isprintable()", ""),
    Fault("cache", "another layout than it will be found with", "are kept\")\n        return npz.grown(npz.read(path, digest))\n", "are kept\")\n        return tree\n"),
    Fault("cache", "files of others cleared", "f\"*-{'[0-9a-f]' * 16}.npz\"", '"*.npz"'),
    Fault("cache", "warnings swallowed", "            warnings.warn(message, stacklevel=2)\n", "            pass\n"),
    Fault("data/files", "gzip's checksum not compared", "if self.stream.read(1):", "if False:"),
    Fault("data/files", "a short file taken for whole", "if len(content) < size:", "if False:"),
    Fault("data/files", "a plain file before a gzipped one", "(Path(directory, f\"{name}.gz\"), Path(directory, name))", "(Path(directory, name), Path(directory, f\"{name}.gz\"))"),
    Fault("mnist", "sizes little-endian", 'content.sizes(">u4"', 'content.sizes("<u4"'),
    Fault("mnist", "a header that declares anything", "if not 0 < declared <= LIMIT:", "if False:"),
    Fault("norb", "the right image for the left", "np.frombuffer(pair, np.uint8, VIEW_SIDE**2)", "np.frombuffer(pair, np.uint8, VIEW_SIDE**2, VIEW_SIDE**2)"),
    Fault("norb", "a header that declares anything", " or not 1 <= rows <= LIMIT:", ":"),
    Fault("npz", "archives that unpack to more", "> length or any(member.compress_type for member in members)", "> length * 10**9"),
    Fault("atomic", "written in place", "partial = {path: path.with_name(f\".{path.name}.{os.getpid()}.partial\") for path in files}", "partial = {path: path for path in files}"),
    Fault("atomic", "partial files left", "leftover.unlink(missing_ok=True)\n    except", "pass\n    except"),
    Fault("atomic", "two at once", "if not ours:", "if False:"),
    Fault("atomic", "lock file left", "                path.unlink()\n", "                pass\n"),
]  # fmt: skip


def prepared(folders: multiprocessing.SimpleQueue) -> None:
    """A worker begins: it stands in a copy of the checkout of its own, with all loaded that is not part of it."""
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "DRLIM_TESTS": "few"}
    os.chdir(folders.get())
    os.environ["PYTHONPATH"] = os.getcwd()
    sys.path[:] = [os.getcwd(), *(path for path in sys.path if path not in ("", str(ROOT), str(ROOT / "tests")))]
    sys.dont_write_bytecode = True
    for library in ("hypothesis.extra.numpy", "array_api_strict", "matplotlib.figure", "sklearn.manifold", "pytest"):
        __import__(library)


@contextlib.contextmanager
def workers() -> Iterator[ProcessPoolExecutor]:
    """Processes, one for each processor, in which `caught` can be called."""
    fork = multiprocessing.get_context("fork")
    count, ignored = os.cpu_count(), shutil.ignore_patterns(".*", "__pycache__", "*.gif", "*.egg-info", "build", "out")
    with tempfile.TemporaryDirectory() as folder:
        folders = fork.SimpleQueue()
        for k in range(count):
            shutil.copytree(ROOT, Path(folder, str(k)), ignore=ignored)
            folders.put(str(Path(folder, str(k))))
        with ProcessPoolExecutor(count, mp_context=fork, initializer=prepared, initargs=(folders,)) as pool:
            yield pool


class QuickestFirst:
    """A plugin of pytest: the tests in the order of the seconds that each took without a fault, which it measures."""

    def __init__(self, seconds: dict[str, float]):
        self.known, self.found = seconds, {}

    def pytest_collection_modifyitems(self, items: list) -> None:
        """Most faults die in the first tenth of a second."""
        items.sort(key=lambda item: self.known.get(item.nodeid, 0))

    def pytest_runtest_logreport(self, report) -> None:
        """Setting up counts, for a fixture may be what takes long."""
        self.found[report.nodeid] = self.found.get(report.nodeid, 0) + report.duration


def unharmed(modules: list[str]) -> tuple[str, dict[str, float]]:
    """What the tests of these modules say without a fault, "" if they pass, and the seconds that each takes."""
    return caught(modules), json.loads(Path("seconds.json").read_text())


def caught(modules: list[str], fault: Fault | None = None, limit: float = LIMIT, seconds: dict | None = None) -> str:
    """What the tests of these modules say of this worker's copy, with the fault if one is given; "" if they pass."""
    names = [name for module in modules for name in TESTS.get(module, [module])]
    tests = list(dict.fromkeys(str(the_one("tests", f"test_{name}.py")) for name in names))
    if not fault:
        return _said(tests, limit, {})
    right = fault.path.read_bytes()
    fault.path.write_text(fault.source(), encoding="utf-8")
    try:
        return _said(tests, limit, seconds or {})
    finally:
        fault.path.write_bytes(right)


def _said(tests: list[str], limit: float, seconds: dict[str, float]) -> str:
    """The first test that fails, in a process that is forked from this one, so that each begins as the last did."""
    Path("said.txt").unlink(missing_ok=True)
    if not (child := os.fork()):
        status = 1
        try:
            os.setpgid(0, 0)
            for stream in (1, 2):
                os.dup2(os.open("said.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND), stream)
            order = QuickestFirst(seconds)
            status = sys.modules["pytest"].main(["-xqp", "no:cacheprovider", "-W", LOADED, *tests], plugins=[order])
            Path("seconds.json").write_text(json.dumps(order.found))
        finally:
            os._exit(status)
    end, done = time.time() + limit, 0
    while not done and time.time() < end:
        time.sleep(0.02)
        done, status = os.waitpid(child, os.WNOHANG)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if not done:
        os.waitpid(child, 0)
        return "does not end"
    said = Path("said.txt").read_text(errors="replace").strip().splitlines()
    first = next((line for line in said if line.startswith(("FAILED", "ERROR"))), said[-1] if said else "crashes")
    return first.split(" - ")[0] if status else ""


def main(modules: list[str]) -> int:
    """0 if every fault in these modules, or in all, is caught; 1 if one survives."""
    chosen = [fault for fault in FAULTS if not modules or fault.module in modules]
    survivors, modules = 0, [[fault.module] for fault in chosen]
    with workers() as pool:
        said, seconds = pool.submit(unharmed, list(dict.fromkeys(fault.module for fault in chosen))).result()
        if said:
            print(f"The tests fail without any fault: {said}")
            return 1
        verdicts = pool.map(caught, modules, chosen, repeat(LIMIT), repeat(seconds))
        for fault, said in zip(chosen, verdicts, strict=True):
            survivors += not said
            print(f"{fault.module:10}  {fault.what:50}  {said or 'SURVIVES'}", flush=True)
    print(f"{len(chosen)} faults, {survivors} survive")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
