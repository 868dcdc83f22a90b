"""How strong is the suite? Deliberate faults, each put into a copy of the sources: some test must fail for every one.

For maintainers, out of the default run: `python tests/faults.py` takes a while, `python tests/faults.py loss lle`
takes these modules alone. Prints each fault and whether it was caught; exit status 1 if one survives. A new formula
gets its faults here: a sign, a factor, an index, an axis, an inequality. A change that no test can see because it
changes nothing, such as > for ≥ where both sides give 0, is no fault.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 600  # seconds: a fault that keeps a test from ending is caught too
TESTS = {
    "loss": ["loss", "array_api", "siamese", "gradients", "properties", "figure2"],
    "siamese": ["siamese"],
    "layers": ["layers", "gradients", "array_api"],
    "textbook": ["layers"],
    "backend": ["backend", "layers", "array_api"],
    "networks": ["layers", "gradients", "figures"],
    "objective": ["objective", "gradients"],
    "training": ["training", "checkpoint"],
    "knn": ["knn", "neighbours"],
    "neighbours": ["neighbours", "contiguous_views", "copies", "graph"],
    "graph": ["graph", "objective", "loss"],
    "tiles": ["tiles", "loss"],
    "lle": ["lle"],
    "metrics": ["metrics"],
    "gradcheck": ["gradcheck"],
    "errors": ["errors"],
    "checkpoint": ["checkpoint", "interruption"],
    "atomic": ["record", "interruption", "checkpoint"],
}


def the_one(folder: str, name: str) -> Path:
    """The file of that name in the folder or below it, relative to the root; there must be one."""
    (found,) = (ROOT / folder).rglob(name)
    return found.relative_to(ROOT)


class Fault(NamedTuple):
    """In MODULE.py of drlim_np or a wing of it the text `old`, which stands there once, becomes `new`."""

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
    # Those on record in other implementations of this loss.
    Fault("loss", "label convention flipped", "    return y == 0\n", "    return y == 1\n"),
    Fault("loss", "label convention flipped for booleans", "return ~y", "return y"),
    Fault("loss", "margin - D² for (margin - D)²", "    return gap * gap / 2\n", "    return (margin - _hinged(d * d, margin)) / 2\n"),
    Fault("loss", "similar term not squared", "return d * d / 2", "return d / 2"),
    Fault("loss", "½ missing from L_S", "return d * d / 2", "return d * d"),
    Fault("loss", "½ missing from L_D", "    return gap * gap / 2\n", "    return gap * gap\n"),
    Fault("loss", "NaN at D = 0", "xp.clip(d, least, margin)", "xp.clip(d, 0.0, margin)"),
    Fault("loss", "an epsilon in D", "xp.clip(d, least, margin)", "xp.clip(d, 1e-9, margin)"),
    Fault("loss", "no hinge", "xp.clip(d, least, margin)", "xp.clip(d, least, None)"),
    Fault("loss", "epsilon in the difference", "    return _length(z1 - z2)", "    return _length(z1 - z2 + 1e-6)"),
    Fault("loss", "epsilon in the difference", "    difference = z1 - z2\n", "    difference = z1 - z2 + 1e-6\n"),
    Fault("loss", "epsilon under the root", "sum(difference * difference, axis=-1))", "sum(difference**2, axis=-1) + 1e-9)"),
    Fault("loss", "second tower with the first's sign", "return loss, dz1, -dz1", "return loss, dz1, dz1"),
    Fault("loss", "sigmoid on the distance", "    d = _length(difference)\n    loss", "    d = 1 / (1 + xp.exp(-_length(difference)))\n    loss"),
    Fault("loss", "mean in the loss, sum in the gradient", "loss = xp.sum(xp.where(similar,", "loss = xp.mean(xp.where(similar,"),
    Fault("loss", "sum in the loss, mean in the gradient", "dz1 = stiffness[:, None] * difference\n", "dz1 = stiffness[:, None] * difference / len(d)\n"),
    Fault("loss", "D² from the Gram trick", "reduce(operator.add, (difference * difference for difference in differences))", "xp.abs(sum(x[rows, None] ** 2 + x[None, columns] ** 2 - 2 * x[rows, None] * x[None, columns] for x in coordinates))"),
    # The loss, Eqs. 1 to 7.
    Fault("loss", "D with absolute values", "return xp.sqrt(xp.sum(difference * difference, axis=-1))", "return xp.sqrt(xp.sum(abs(difference) ** 2, axis=-1))"),
    Fault("loss", "D² for D", "return xp.sqrt(xp.sum(difference * difference, axis=-1))", "return xp.sum(difference * difference, axis=-1)"),
    Fault("loss", "D over the wrong axis", "axis=-1))", "axis=0))"),
    Fault("loss", "a complex step without the hinge", "xp.where(real(d) >= margin, margin, xp", "xp.where(real(d) >= np.inf, margin, xp"),
    Fault("loss", "a complex step NaN at D = 0", "xp.where(real(d) <= least, least, d)", "xp.where(real(d) <= least, 0, d)"),
    Fault("loss", "hinge on the wrong side", "real(d) >= margin", "real(d) < margin"),
    Fault("loss", "gap of the other sign", "        gap = margin - d\n", "        gap = d - margin\n"),
    Fault("loss", "difference of the other sign", "xp.stack([xp.ones_like(x), -x])", "-xp.stack([xp.ones_like(x), -x])"),
    Fault("loss", "sum for difference", "xp.stack([xp.ones_like(x), -x])", "xp.stack([xp.ones_like(x), x])"),
    Fault("loss", "repulsion attracts", "xp.ones_like(d), -(margin - hinged)", "xp.ones_like(d), (margin - hinged)"),
    Fault("loss", "attraction of the wrong stiffness", "similar, xp.ones_like(d), -", "similar, 2 * xp.ones_like(d), -"),
    Fault("loss", "push not divided by D", "push = gap / d", "push = gap"),
    Fault("loss", "terms exchanged", "xp.where(similar, similar_loss(d), dissimilar_loss(d, margin))", "xp.where(similar, dissimilar_loss(d, margin), similar_loss(d))"),
    Fault("loss", "repulsion subtracted", "return attraction + repulsion, pull + push", "return attraction - repulsion, pull + push"),
    Fault("loss", "push left out", "return attraction + repulsion, pull + push", "return attraction + repulsion, pull"),
    Fault("loss", "pairs of the similar sum counted twice", "return squares / 4, xp", "return squares / 2, xp"),
    Fault("loss", "similar force of the other sign", "dz.append(xp.sum(difference, axis=1))", "dz.append(-xp.sum(difference, axis=1))"),
    Fault("loss", "½ missing from the sum over tiles", "return loss / 2, xp.take", "return loss, xp.take"),
    Fault("loss", "rows pushed the wrong way", "dz[rows] -=", "dz[rows] +="),
    Fault("loss", "columns pushed the wrong way", "dz[columns] +=", "dz[columns] -="),
    Fault("loss", "weight of the other end left out", "force @ w2", "force.sum(axis=1)"),
    Fault("loss", "own weight left out", "[weight * dz for dz in gradient]", "gradient"),
    Fault("loss", "weight left out of the loss", "loss + w1 @ (gap * gap) @ w2", "loss + (gap * gap).sum()"),
    Fault("loss", "gradient left in the order of the tiles", "xp.take(dz, like(place, z), axis=0)", "dz"),
    Fault("loss", "gradient taken by the wrong order", "xp.take(dz, like(place, z), axis=0)", "xp.take(dz, like(order, z), axis=0)"),
    Fault("loss", "similar pairs in the dissimilar sum", "            gap = zero_at(gap, similar_pairs)\n", "            pass\n"),
    Fault("loss", "a sample paired with itself", "xp.triu(gap, k=1)", "xp.triu(gap, k=0)"),
    Fault("loss", "pairs inside a tile from both ends", "        if rows == columns:\n", "        if False:\n"),
    Fault("loss", "similar pairs at the wrong places", "place[similar.edges]", "order[similar.edges]"),
    Fault("loss", "margin of zero allowed", "isfinite(margin) and margin > 0", "isfinite(margin) and margin >= 0"),
    Fault("loss", "infinite margin allowed", "isfinite(margin) and margin > 0", "margin > 0"),
    # The Siamese sum.
    Fault("siamese", "second tower left out", "add(pullback1(dz1).params, pullback2(dz2).params)", "pullback1(dz1).params"),
    Fault("siamese", "second tower twice", "pullback1(dz1).params, ", "pullback2(dz2).params, "),
    Fault("siamese", "one tower's gradient for both", "pullback2(dz2)", "pullback2(dz1)"),
    Fault("siamese", "second tower sees the first's input", "network(params, x2)", "network(params, x1)"),
    Fault("siamese", "inputs exchanged for one tower", "pullback1(dz1)", "pullback1(dz2)"),
    # Layers.
    Fault("layers", "variance for standard deviation", "scale / np.sqrt(fan_in)", "scale / fan_in"),
    Fault("layers", "weights of twice the size", "scale / np.sqrt(fan_in)", "2 * scale / np.sqrt(fan_in)"),
    Fault("layers", "Linear: fan-out for fan-in", "self.inputs), self.inputs, dtype", "self.inputs), self.outputs, dtype"),
    Fault("layers", "Linear: no bias", "return x @ weight.T + bias, pullback", "return x @ weight.T, pullback"),
    Fault("layers", "Linear: bias subtracted", "weight.T + bias", "weight.T - bias"),
    Fault("layers", "Linear: weight gradient of the other sign", "dy.T @ x,", "-dy.T @ x,"),
    Fault("layers", "Linear: mean for sum in the bias gradient", '"bias": namespace(dy).sum(dy, axis=0)', '"bias": namespace(dy).mean(dy, axis=0)'),
    Fault("layers", "Linear: gradient to the input of the other sign", "dy @ weight if", "-dy @ weight if"),
    Fault("layers", "Conv2d: bias left out", "        y += _spread(bias, samples)\n", ""),
    Fault("layers", "Conv2d: bias subtracted", "y += _spread(bias, samples)", "y -= _spread(bias, samples)"),
    Fault("layers", "Conv2d: rows for columns in the kernel", "xp.permute_dims(weight, (0, 3, 2, 1)), (self.maps, -1)", "xp.permute_dims(weight, (0, 2, 3, 1)), (self.maps, -1)"),
    Fault("layers", "Conv2d: rows for columns in the kernel gradient", "xp.permute_dims(dkernels, (0, 3, 2, 1))", "xp.permute_dims(dkernels, (0, 3, 1, 2))"),
    Fault("layers", "Conv2d: kernel gradient of the other sign", "xp.sum(dy @ self", "-xp.sum(dy @ self"),
    Fault("layers", "Conv2d: kernel gradient over the rows alone", "_patches(pixels).mT, axis=(0, 1))", "_patches(pixels)[:, :1, ...].mT, axis=(0, 1))"),
    Fault("layers", "Conv2d: bias gradient of the other sign", '"bias": _sum_by_map(dy)}\n            return Gradient(dparams, self', '"bias": -_sum_by_map(dy)}\n            return Gradient(dparams, self'),
    Fault("layers", "Conv2d: the first column of patches everywhere", "windows(strips, k, axis=1), (rows", "windows(strips, k, axis=1)[:, :1, ...] + 0 * windows(strips, k, axis=1), (rows"),
    Fault("layers", "Conv2d: rows and columns exchanged", "axis=0), (0, 2, 1, 3, 4)", "axis=0), (0, 1, 2, 3, 4)"),
    Fault("layers", "Conv2d: channels before rows in a strip", "axis=0), (0, 2, 1, 3, 4)", "axis=0), (0, 2, 3, 1, 4)"),
    Fault("layers", "Conv2d: gradient to the input overwritten", "dstrips[:, j : j + k, ...] +=", "dstrips[:, j : j + k, ...] ="),
    Fault("layers", "Conv2d: gradient to the input overwritten down", "dpixels[i : i + k, ...] +=", "dpixels[i : i + k, ...] ="),
    Fault("layers", "Conv2d: gradient to the input of the other sign", "self._pull_to_input(kernels.T @ dy)", "self._pull_to_input(-kernels.T @ dy)"),
    Fault("layers", "Subsample: sum for mean", "_spread(coefficient / size**2, samples)", "_spread(coefficient, samples)"),
    Fault("layers", "Subsample: mean over the side", "_spread(coefficient / size**2, samples)", "_spread(coefficient / size, samples)"),
    Fault("layers", "Subsample: rows of the window alone", "xp.sum(xp.reshape(maps, cells), axis=(1, 3))", "size * xp.sum(xp.reshape(maps, cells)[:, :, :, 0, ...], axis=1)"),
    Fault("layers", "Subsample: coefficient left out of the gradient", "xp.broadcast_to((slope * dy)", "xp.broadcast_to((dy / size**2)"),
    Fault("layers", "Subsample: window left out of the gradient", "xp.broadcast_to((slope * dy)", "xp.broadcast_to((slope * size**2 * dy)"),
    Fault("layers", "Subsample: gradient not times the sum", "_sum_by_map(dy * total)", "_sum_by_map(dy)"),
    Fault("layers", "Subsample: sum for mean in the gradient", "_sum_by_map(dy * total) / size**2", "_sum_by_map(dy * total)"),
    Fault("layers", "Subsample: bias gradient of the other sign", '"bias": _sum_by_map(dy)}\n            if not', '"bias": -_sum_by_map(dy)}\n            if not'),
    Fault("layers", "Subsample: bias subtracted", "slope * total + _spread", "slope * total - _spread"),
    Fault("layers", "bias gradient over the rows alone", "x, axis=(0, 1)), axis=1)", "x[:, 0, ...], axis=0), axis=1)"),
    Fault("textbook", "kernel flipped", "x[n, c, i + u, j + v]\n    return y", "x[n, c, i + weight.shape[2] - 1 - u, j + v]\n    return y"),
    Fault("textbook", "bias left out", "y[n, m, i, j] = bias[m]", "y[n, m, i, j] = 0"),
    Fault("textbook", "gradient of the other sign", "dx[n, c, i + u, j + v] +=", "dx[n, c, i + u, j + v] -="),
    Fault("backend", "windows: a run too few", "runs = x.shape[axis] - size + 1", "runs = x.shape[axis] - size"),
    Fault("backend", "windows: every second run", "x.strides[: axis + 1] + x.strides[axis:]", "x.strides[:axis] + (2 * x.strides[axis],) + x.strides[axis:]"),
    Fault("backend", "windows: mirrored on a device", "for u in range(size)], axis=axis + 1)", "for u in reversed(range(size))], axis=axis + 1)"),
    Fault("layers", "Tanh: 1 + y²", "    slope *= -1\n", ""),
    Fault("layers", "Tanh: 1 - y", "slope = y * y", "slope = y * 1"),
    Fault("layers", "Tanh: of the input, not the output", "dy * _slope(y)", "dy * _slope(x)"),
    Fault("layers", "Flatten: maps innermost", "return xp.reshape(x, (x.shape[0], prod(x.shape[1:]))), pullback", "return xp.reshape(xp.permute_dims(x, (0, 2, 3, 1)), (x.shape[0], prod(x.shape[1:]))), pullback"),
    Fault("layers", "Sequential: pullbacks in forward order", "for name, pullback in reversed(pullbacks):", "for name, pullback in pullbacks:"),
    Fault("layers", "InBlocks: the last block left out", "reduce(add, (gradient.params for gradient in gradients))", "reduce(add, (gradient.params for gradient in gradients[: max(1, len(gradients) - 1)]))"),
    Fault("layers", "InBlocks: what other threads did left out", "return sum((part.result() for part in theirs), in_turn(mine))", "return in_turn(mine)"),
    Fault("layers", "InBlocks: each block the first one's gradient", "pullbacks[b](dy[blocks[b], ...]", "pullbacks[0](dy[blocks[b], ...]"),
    Fault("networks", "tanh missing after C1", "        squash1=Tanh(),\n", ""),
    Fault("networks", "kernel of C1", "maps=15, kernel=6", "maps=15, kernel=7"),
    Fault("networks", "window of S2", "maps=15, window=3", "maps=15, window=9"),
    # The objective.
    Fault("objective", "exact weighting the wrong way round", "similar.dissimilar_count / similar.listed_count)", "similar.listed_count / similar.dissimilar_count)"),
    Fault("objective", "weighting risen at the end only", "min(1.0, 2 * progress)", "min(1.0, progress)"),
    Fault("objective", "weighting that does not stop rising", "min(1.0, 2 * progress)", "2 * progress"),
    Fault("objective", "degree not undone", "/ graph.degree[samples]\n", "/ graph.degree[samples].mean()\n"),
    Fault("objective", "times drawn left out", "weight = times * (2", "weight = (2"),
    Fault("objective", "couples of draws", "len(drawn) * (len(drawn) - 1) / 2", "len(drawn) * len(drawn) / 2"),
    Fault("objective", "scale of the pairs seen", "pairs_seen = 4 *", "pairs_seen = 2 *"),
    Fault("objective", "push with the weight of the pull", "pullback(similar * pull + dissimilar * push).params\n\n\n@dataclass", "pullback(similar * pull + similar * push).params\n\n\n@dataclass"),
    Fault("objective", "shares exchanged", "return 1 / ((1 + ratio) * similar_pairs), ratio / (", "return ratio / ((1 + ratio) * similar_pairs), 1 / ("),
    Fault("objective", "1 + λ left out", "ratio / ((1 + ratio) * dissimilar_pairs)", "ratio / dissimilar_pairs"),
    # The optimisers.
    Fault("training", "cosine from 0 to 1", "(1 + cos(pi * progress)) / 2", "(1 - cos(pi * progress)) / 2"),
    Fault("training", "cosine of half the height", "(1 + cos(pi * progress)) / 2", "(1 + cos(pi * progress)) / 4"),
    Fault("training", "SGD: ascent", "lambda w, v: w - rate * v", "lambda w, v: w + rate * v"),
    Fault("training", "SGD: momentum on the gradient", "momentum * v + g", "v + momentum * g"),
    Fault("training", "SGD: momentum of the other sign", "momentum * v + g", "g - momentum * v"),
    Fault("training", "SGD: rate without its schedule", "rate, momentum = float(self.rate * factor)", "rate, momentum = float(self.rate)"),
    Fault("training", "Adam: rate without its schedule", "rate, b1, b2 = float(self.rate * factor)", "rate, b1, b2 = float(self.rate)"),
    Fault("training", "Adam: ascent", "w = w - rate * (m", "w = w + rate * (m"),
    Fault("training", "Adam: first moment", "b1 * m + (1 - b1) * g", "b1 * m + g"),
    Fault("training", "Adam: second moment not squared", "(1 - b2) * g * g", "(1 - b2) * g"),
    Fault("training", "Adam: decays exchanged", "b2 * v + (1 - b2)", "b1 * v + (1 - b1)"),
    Fault("training", "Adam: mean not corrected", "(m / (1 - b1**step))", "m"),
    Fault("training", "Adam: square not corrected", "sqrt(v / (1 - b2**step))", "sqrt(v)"),
    Fault("training", "Adam: ε under the root", "sqrt(v / (1 - b2**step)) + float(self.epsilon)", "sqrt(v / (1 - b2**step) + float(self.epsilon))"),
    Fault("training", "Adam: no root", "namespace(v).sqrt(v / (1 - b2**step))", "(v / (1 - b2**step))"),
    Fault("training", "progress that reaches 1", "progress = (number - 1) / steps", "progress = number / steps"),
    Fault("training", "a step too few", "range(done + 1, steps + 1)", "range(done + 1, steps)"),
    Fault("training", "NaN goes on", "        if not holds:\n", "        if False:\n"),
    Fault("training", "weights that are not finite go on", "gradient=gradient, new_value=params, memory=state)", "gradient=gradient)"),
    # Step 1.
    Fault("knn", "a sample its own neighbour", "np.fill_diagonal(fast, np.inf)", "np.fill_diagonal(fast, 0)"),
    Fault("knn", "-2ab of the other sign", "fast *= -2", "fast *= 2"),
    Fault("knn", "products once, not twice", "fast *= -2", "fast *= -1"),
    Fault("knn", "squares of one side only", "        fast += squares[other]\n", ""),
    Fault("knn", "the other tile not told", "seen.append((other,", "seen.append((one,"),
    Fault("knn", "the farthest, not the nearest", 'np.argsort(squared, axis=1, kind="stable")', 'np.argsort(-squared, axis=1, kind="stable")'),
    Fault("knn", "ties to the larger index", "return np.sort(index, axis=1), distance", "return -np.sort(-index, axis=1), distance"),
    Fault("knn", "missed neighbours not looked for", "beyond[rows] <= radius", "beyond[rows] > np.inf"),
    Fault("knn", "rounding underestimated", "distance.max(axis=1) - bound", "distance.max(axis=1) + bound"),
    Fault("knn", "radius of the nearest", "order[:, -1:]", "order[:, :1]"),
    Fault("knn", "boxes left out too soon", "if radius.max() * (1 + 1e-9) < left_out:", "if True:"),
    Fault("knn", "boxes overlap where they are apart", "np.maximum(low - box_high, box_low - high)", "np.minimum(low - box_high, box_low - high)"),
    Fault("knn", "a sample its own neighbour on a map", "others[others != rows[:, None]].reshape", "others[others != rows[::-1, None]].reshape"),
    Fault("knn", "candidates of a box not in order", "candidates = np.sort(", "candidates = np.asarray("),
    Fault("neighbours", "a copy similar to itself missing", "itself, one[one != other], other[one != other]", "itself, one[one < other], other[one < other]"),
    Fault("neighbours", "copies of one shift only", "_between_copies(characters.pairs, one, other, copies)", "_between_copies(characters.pairs, one, one, copies)"),
    Fault("neighbours", "the circle of azimuths not closed", "np.minimum(apart, around - apart) <= 1", "apart <= 1"),
    Fault("neighbours", "two steps of elevation", "np.abs(elevation[:, None] - elevation) <= 1", "np.abs(elevation[:, None] - elevation) <= 2"),
    Fault("neighbours", "no step of elevation", "np.abs(elevation[:, None] - elevation) <= 1", "np.abs(elevation[:, None] - elevation) < 1"),
    Fault("neighbours", "elevation or azimuth", "contiguous &= np.abs", "contiguous |= np.abs"),
    Fault("neighbours", "each pair from both ends", "np.argwhere(np.triu(contiguous, k=1))", "np.argwhere(contiguous & ~np.eye(len(azimuth), dtype=bool))"),
    Fault("graph", "edges in one direction only", "np.concatenate([self.edges, self.edges[:, ::-1]])", "np.concatenate([self.edges, self.edges])"),
    Fault("graph", "pairs with themselves among the others", "self.size * (self.size - 1) // 2", "self.size * (self.size + 1) // 2"),
    Fault("graph", "listed pairs taken from the others", "2 - len(self.edges)", "2 - len(self.pairs)"),
    Fault("graph", "within: not renumbered", "inside = other > one", "inside = other >= 0"),
    Fault("tiles", "box to box, the near corner", "np.maximum(low[k:] - high[k], low[k] - high[k:])", "np.minimum(low[k:] - high[k], low[k] - high[k:])"),
    Fault("tiles", "reach not squared", ">= reach**2", ">= reach / 2"),
    Fault("tiles", "similar pairs not told", "within[first:last]", "within[first:first]"),
    Fault("tiles", "similar pairs seen from their other end", "first, second = np.sort(similar, axis=1).T", "first, second = similar[:, ::-1].T"),
    # LLE.
    Fault("lle", "differences of the other point", "gram = difference @ difference.T", "gram = near @ near.T"),
    Fault("lle", "weights that do not sum to 1", "return weights / weights.sum()", "return weights"),
    Fault("lle", "regularisation not scaled by the trace", "regularisation * (trace if trace > 0 else 1)", "regularisation * 1"),
    Fault("lle", "weights added to the sample", "[[1.0], -reconstruction_weights(", "[[1.0], reconstruction_weights("),
    Fault("lle", "M overwritten", "m[np.ix_(support, support)] +=", "m[np.ix_(support, support)] ="),
    Fault("lle", "the constant eigenvector kept", "    m += 1 / samples\n", ""),
    Fault("lle", "the largest eigenvectors", "return basis[:, :count]", "return basis[:, -count:]"),
    Fault("lle", "signs left to chance", "np.sign(z[np.abs(z).argmax(axis=0), np.arange(dims)])", "-np.sign(z[np.abs(z).argmax(axis=0), np.arange(dims)])"),
    Fault("lle", "variance in rising order", "np.linalg.eigh(-(free.T @ x)", "np.linalg.eigh((free.T @ x)"),
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
    Fault("metrics", "a sample that ties counted as nearer", "squared < squared[whom, None]", "squared <= squared[whom, None]"),
    Fault("metrics", "angles added", "1j * (angle - target)", "1j * (angle + target)"),
    Fault("gradcheck", "every step's doubt believed", "self.central_error <= 2 * self.central_doubt", "self.central_error > 0"),
    Fault("gradcheck", "no doubt believed", "self.central_error <= 2 * self.central_doubt", "self.central_error < 0"),
    Fault("gradcheck", "a kink excuses the complex step", "confirmed and rejected and self", "rejected and self"),
    Fault("gradcheck", "an array at two leaves changed twice", "if next(names) == name else", "if leaf is x else"),
    Fault("errors", "a boolean for a number", " and not isinstance(value, bool)", ""),
    Fault("errors", "int64 beyond 2⁵³ rounded", ">= 2**53", "> 2**63"),
    # What is kept between runs.
    Fault("checkpoint", "digest without the inputs", "    _add(total, parts)\n", ""),
    Fault("checkpoint", "digest without shapes", "{part.dtype.str} {part.shape}", "{part.dtype.str}"),
    Fault("checkpoint", "digest without dtypes", "{part.dtype.str} {part.shape}", "{part.shape}"),
    Fault("checkpoint", "digest not compared", '.tobytes()) != _marked(digest, parts):', '.tobytes()) == "":'),
    Fault("checkpoint", "arrays not counted", "return f\"{digest} of {len(parts)} arrays\"", "return digest"),
    Fault("checkpoint", "generator not set back", "            rng.bit_generator.state = generator\n", ""),
    Fault("checkpoint", "fresh uses what it finds", "        if self.fresh:\n", "        if False:\n"),
    Fault("checkpoint", "warnings swallowed", "            warnings.warn(message, stacklevel=2)\n", "            pass\n"),
    Fault("checkpoint", "shapes not compared", "array.shape != tuple(leaf.shape) or ", ""),
    Fault("checkpoint", "archives that unpack to more", "> length or any(member.compress_type for member in members)", "> length * 10**9"),
    Fault("checkpoint", "leftovers allowed", "if parts or not np", "if not np"),
    Fault("atomic", "written in place", "partial = {path: path.with_name(f\".{path.name}.{os.getpid()}.partial\") for path in files}", "partial = {path: path for path in files}"),
    Fault("atomic", "partial files left", "leftover.unlink(missing_ok=True)\n    except", "pass\n    except"),
    Fault("atomic", "two at once", "if not _locked(file):", "if False:"),
    Fault("atomic", "lock file left", "                path.unlink()\n", "                pass\n"),
]  # fmt: skip


def caught(modules: list[str], fault: Fault | None = None, limit: float = LIMIT) -> str:
    """What the tests of these modules say of a copy, with the fault in it if one is given; "" if they pass."""
    names = [name for module in modules for name in TESTS.get(module, [module])]
    tests = dict.fromkeys(str(the_one("tests", f"test_{name}.py")) for name in names)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        ignored = shutil.ignore_patterns(".*", "__pycache__", "*.png", "*.svg", "*.npz", "*.egg-info", "build")
        shutil.copytree(ROOT, copy, ignore=ignored)
        if fault:
            (copy / fault.path).write_text(fault.source(), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        threads = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(command, cwd=copy, env=os.environ | threads, capture_output=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return "does not end"
    said = done.stdout.decode(errors="replace").strip().splitlines()
    first = next((line for line in said if line.startswith(("FAILED", "ERROR"))), said[-1] if said else "crashes")
    return first.split(" - ")[0] if done.returncode else ""


def main(modules: list[str]) -> int:
    """0 if every fault in these modules, or in all, is caught; 1 if one survives."""
    chosen = [fault for fault in FAULTS if not modules or fault.module in modules]
    if said := caught(list(dict.fromkeys(fault.module for fault in chosen))):
        print(f"The tests fail without any fault: {said}")
        return 1
    survivors = 0
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1) as pool:
        for fault, said in zip(chosen, pool.map(lambda fault: caught([fault.module], fault), chosen), strict=True):
            survivors += not said
            print(f"{fault.module:10}  {fault.what:50}  {said or 'SURVIVES'}", flush=True)
    print(f"{len(chosen)} faults, {survivors} survive")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
