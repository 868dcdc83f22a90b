"""Locally linear embedding, the baseline of Figs. 6 and 9 (Roweis and Saul, Science 290, 2000)."""

import warnings
from collections.abc import Iterable, Sequence
from math import inf

import numpy as np

from drlim_np.checks.numbers import positive_number, real_array, same_length, whole_number, whole_numbers
from drlim_np.errors import require
from drlim_np.fast.devices import require_memory
from drlim_np.fast.knn import in_unit

SPARE = 8  # directions carried along beyond those asked for: the more, the faster the iteration settles
BLOCK = 256  # rows solved for at once, by the inverse of a small triangle


def lle(x: np.ndarray, neighbours: Sequence[np.ndarray], dims: int = 2, regularisation: float = 1e-3) -> np.ndarray:
    """The map on which each sample is the same weighted mean of its neighbours as in the data: (samples, dims) float64.

    x (samples, features); neighbours: for each sample the indices of its own, any number from one up.

    The weights w_i minimise ‖x_i - Σ_j w_ij x_j‖² with Σ_j w_ij = 1. The map minimises Σ_i ‖z_i - Σ_j w_ij z_j‖²
    = tr(zᵀ M z) with M = (I - W)ᵀ (I - W) over centred z with orthonormal columns, so these are M's eigenvectors of
    least eigenvalue after the constant one. Each column's largest entry is positive. Where several groups of samples
    have no neighbours outside, each has an eigenvector of eigenvalue 0; they are turned to follow the data's variance.
    """
    x = in_unit(real_array("x", x, "samples", "features"))
    same_length(x=x, neighbours=neighbours)
    dims = whole_number("dims", dims, 1, len(x) - 2)
    neighbours = [_others(i, near, len(x)) for i, near in enumerate(neighbours)]
    regularisation = positive_number("regularisation", regularisation)
    if (groups := closed_groups(neighbours)) > 1:
        apart = f"the neighbourhood graph holds {groups} groups without neighbours outside: LLE places each by itself"
        remedy = "so distances between them mean nothing; raise k, or map each group alone"
        warnings.warn(f"{apart}, {remedy}", stacklevel=2)
    require_memory(8 * len(x) ** 2, f"LLE of {len(x):,} samples")
    m = np.zeros((len(x), len(x)))
    for i, near in enumerate(neighbours):
        # M = Σ_i u_i u_iᵀ, where u_i is 1 at i and -w_ij at its neighbours.
        support = np.concatenate([[i], near])
        u = np.concatenate([[1.0], -reconstruction_weights(x[i], x[near], regularisation)])
        m[np.ix_(support, support)] += np.outer(u, u)
    vectors = _bottom_eigenvectors(m, max(dims, groups - 1))
    free = vectors[:, : groups - 1]
    _, turn = np.linalg.eigh(-(free.T @ x) @ (free.T @ x).T)  # in falling order of the data's variance along them
    z = np.concatenate([free @ turn, vectors[:, groups - 1 :]], axis=1)[:, :dims]
    return z * np.sign(z[np.abs(z).argmax(axis=0), np.arange(dims)])


def reconstruction_weights(x: np.ndarray, near: np.ndarray, regularisation: float) -> np.ndarray:
    """The weights, summing to 1, with which the points `near` (k, features) come closest to x (features,): (k,)."""
    difference = near - x
    gram = difference @ difference.T  # G_jl = <x_j - x, x_l - x>: the error is wᵀ G w, least where G w is constant
    # G is singular for more neighbours than features, so a share of its trace is added to its diagonal, or of 1 for 0.
    ridge = regularisation * (np.trace(gram) or 1) * np.eye(len(near))
    weights = np.linalg.solve(gram + ridge, np.ones(len(near)))
    return weights / weights.sum()


def closed_groups(neighbours: Sequence[np.ndarray]) -> int:
    """How many groups of samples have no neighbours outside, and none such inside: M has an eigenvalue 0 for each."""
    listed_by: list[list[int]] = [[] for _ in neighbours]
    for i, near in enumerate(neighbours):
        for j in near.tolist():
            listed_by[j].append(i)

    def starts(order: Iterable[int]) -> list[int]:
        """The samples not met on the way from an earlier one, going from each to those that list it."""
        met, found = set(), []
        for start in order:
            if start not in met:
                found.append(start)
                ahead = [start]
                while ahead:
                    met.add(i := ahead.pop())
                    ahead += [j for j in listed_by[i] if j not in met]
        return found

    # No start leads to a later one; in reverse order only those remain to which no other leads, one for each group.
    return len(starts(reversed(starts(range(len(neighbours))))))


def _bottom_eigenvectors(m: np.ndarray, count: int) -> np.ndarray:
    """Those of least eigenvalue but the constant one, whose eigenvalue in M is 0: (samples, count), orthonormal."""
    samples = len(m)
    ridge = np.finfo(float).eps * np.trace(m)  # it keeps eigenvalues positive where the graph falls apart
    m += 1 / samples  # lifts the constant vector to eigenvalue 1, and does nothing to the others, which are centred
    m[np.diag_indices(samples)] += ridge
    factor = Factor(m)
    basis = np.random.default_rng(0).standard_normal((samples, min(count + SPARE, samples - 1)))
    residual = inf
    while True:  # inverse iteration, until M z - λ z no longer falls, because the rest of it is rounding
        basis, _ = np.linalg.qr(factor.solve(basis))
        applied = factor.apply(basis)
        eigenvalues, turn = np.linalg.eigh(basis.T @ applied)
        basis, applied = basis @ turn, applied @ turn
        earlier, residual = residual, float(np.linalg.norm((applied - eigenvalues * basis)[:, :count]))
        if not residual < 0.99 * earlier:
            return basis[:, :count]


class Factor:
    """A = L Lᵀ for a positive definite A (samples, samples), which is overwritten by L, block of rows by block:

        L_II L_IIᵀ = A_II - Σ_J L_IJ L_IJᵀ,    and below it    L_KI = (A_KI - Σ_J L_KJ L_IJᵀ) L_II⁻ᵀ.
    NumPy's Cholesky factorisation does the small ones; of a large A it would take three times the memory.
    """

    def __init__(self, a: np.ndarray):
        self.lower, self.inverses = a, []
        self.blocks = [slice(start, min(start + BLOCK, len(a))) for start in range(0, len(a), BLOCK)]
        for rows in self.blocks:
            a[rows.start :, rows] -= a[rows.start :, : rows.start] @ a[rows, : rows.start].T
            a[rows, rows] = np.linalg.cholesky(a[rows, rows])
            self.inverses.append(np.linalg.inv(a[rows, rows]))
            a[rows.stop :, rows] = a[rows.stop :, rows] @ self.inverses[-1].T

    def apply(self, x: np.ndarray) -> np.ndarray:
        """A x = L (Lᵀ x), for x (samples, columns)."""
        inner = np.concatenate([self.lower[rows.start :, rows].T @ x[rows.start :] for rows in self.blocks])
        return np.concatenate([self.lower[rows, : rows.stop] @ inner[: rows.stop] for rows in self.blocks])

    def solve(self, b: np.ndarray) -> np.ndarray:
        """A⁻¹ b for b (samples, columns): L y = b from the top down, Lᵀ x = y from the bottom up."""
        x = b.copy()
        for rows, inverse in zip(self.blocks, self.inverses, strict=True):
            x[rows] = inverse @ (x[rows] - self.lower[rows, : rows.start] @ x[: rows.start])
        for rows, inverse in zip(reversed(self.blocks), reversed(self.inverses), strict=True):
            x[rows] = inverse.T @ (x[rows] - self.lower[rows.stop :, rows].T @ x[rows.stop :])
        return x


def _others(i: int, near: np.ndarray, samples: int) -> np.ndarray:
    """The neighbours of sample i as int64: distinct others, at least one."""
    require(np.size(near) > 0, f"sample {i} has no neighbours: leave it out, or join it to another")
    near = whole_numbers(f"the list of neighbours of sample {i}", near, "neighbours")
    fit = near.min() >= 0 and near.max() < samples and i not in near and len(np.unique(near)) == len(near)
    wanted = f"they must be distinct others, from 0 to {samples - 1}"
    require(fit, f"sample {i} has neighbours {near.tolist()}: {wanted}")
    return near
