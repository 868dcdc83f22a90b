"""The estimator: neighbours, labels or pairs go in, a map comes out that takes samples it never saw."""

import io
import json
import os
import sys
from dataclasses import dataclass, fields
from importlib import import_module
from importlib.util import find_spec
from math import sqrt
from typing import Any, Self

import numpy as np

from drlim_np.backend import Array
from drlim_np.checks.numbers import positive_number, whole_number
from drlim_np.errors import InputError, require
from drlim_np.estimator import inputs
from drlim_np.files import weights
from drlim_np.graph import SimilarityGraph
from drlim_np.measure.metrics import trustworthiness
from drlim_np.objective import Objective, Weighting
from drlim_np.sampled import SampledPairs
from drlim_np.training import SGD, embed, minimise, warmup_cosine
from drlim_np.tree import Tree, leaves, tree_map

LEARNED = ("weights", "mean", "scale", "varied", "embedding", "loss_curve")  # what a file holds with the parameters
NUMBERS = {"n_components": int, "n_neighbors": int, "margin": float, "max_iter": int, "learning_rate": float}
LONGEST = 0.03  # margins: a gradient longer than that is shortened to it


@dataclass(eq=False)
class DrLIM:
    """A map learned from which samples are similar (Hadsell, Chopra and LeCun, 2006), which takes samples unseen.

    n_components:  coordinates of the map.
    n_neighbors:   of each sample, its nearest that are similar to it, where `fit` is told nothing else.
    margin:        m, the distance that dissimilar pairs are pushed to, in the unit of the map.
    network:       G_W, any layer of `drlim_np.layers` with n_components outputs; None is two hidden layers of 100 tanh.
    max_iter:      steps of gradient descent, on 128 similar pairs each and the dissimilar ones among their samples.
    learning_rate: it rises over the first fifth of the steps and falls to 0 along a cosine; the momentum is 0.9.
    weighting:     "balanced", similar and dissimilar pairs have equal say, or "exact", the paper's plain sum.
    random_state:  None, a seed, or a generator of NumPy's.
    verbose:       1 keeps a line of progress on the terminal, or in a notebook.

    X is rows (samples, features), or images (samples, height, width), of any scale; a network that was given gets
    images as (samples, 1, height, width). float32 is mapped in float32, everything else in float64. Each feature is
    centred; one scale serves all. `fit` leaves embedding_ (samples, n_components), loss_curve_ (max_iter,), the
    objective before each step, n_iter_, n_features_in_, feature_names_in_ of a table, of G_W network_ and weights_, and
    of its input mean_ (features,), scale_ () and varied_ (features,), 0 where all samples have one value.
    """

    n_components: int = 2
    n_neighbors: int = 5
    margin: float = 1.0
    network: Any = None
    max_iter: int = 6000
    learning_rate: float = 2.0
    weighting: Weighting = "balanced"
    random_state: Any = None
    verbose: int = 0

    def fit(self, X: Any, y: Any = None, similar: SimilarityGraph | Any = None) -> Self:
        """Learns the map of X. Pairs that are not similar are dissimilar. Raises DivergedError at too high a rate.

        similar: (pairs, 2) indices, or a sparse matrix of SciPy's with an entry for each pair, or a SimilarityGraph,
                 next to which y is not used. Every sample is in a pair. A table of two neighbours has the shape of
                 pairs, but its rows lack their own sample: give SimilarityGraph.of_neighbours(table).
        y:       without these, labels (samples,): samples of one label are similar. One alone with its label, or
                 unlabelled (-1), is similar to its n_neighbors nearest; without labels each sample is.
        """
        for learned in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, learned)  # a fit that fails leaves no map
        x = inputs.samples("X", X, least=3)
        rows, self._form = x.reshape(len(x), -1), x.shape[1:]
        graph, rng = inputs.similar_among(rows, y, similar, self.n_neighbors), inputs.generator(self.random_state)
        outputs, steps = (whole_number(name, getattr(self, name), 1) for name in ("n_components", "max_iter"))
        self.n_features_in_, self._dtype = rows.shape[1], x.dtype
        if names := inputs.feature_names(X):
            self.feature_names_in_ = np.array(names, dtype=object)
        self.mean_, self.scale_, self.varied_ = inputs.centre_and_scale(rows)
        self.network_ = inputs.network_of(self.network, int(self.varied_.sum()), outputs)
        x_in, first = self._input(x), self.network_.init(rng, x.dtype)
        inputs.require_outputs(self.network_, first, x_in[:1], outputs)
        objective = SampledPairs(self.network_, x_in, graph, self.margin, self.weighting)
        rate = positive_number("learning_rate", self.learning_rate)
        descent, stream = SGD(rate, 0.9), sys.stderr if self.verbose else io.StringIO()
        steady = clipped(objective, LONGEST * self.margin)
        self.weights_, self.loss_curve_ = minimise(steady, first, descent, steps, rng, warmup_cosine, "DrLIM", stream)
        self.n_iter_, self.embedding_ = steps, embed(self.network_, self.weights_, x_in)
        return self

    def transform(self, X: Any) -> Any:
        """The place of X on the map, (samples, n_components)."""
        return self._contained(self._embedded(self._taken(X)), X)

    def fit_transform(self, X: Any, y: Any = None, similar: SimilarityGraph | Any = None) -> Any:
        """`fit`, and then embedding_."""
        return self.fit(X, y, similar)._contained(self.embedding_, X)

    def score(self, X: Any, y: Any = None) -> float:
        """Trustworthiness, at most 1: how far the n_neighbors nearest on the map of X are near in X."""
        x, k = self._taken(X, least=3), whole_number("n_neighbors", self.n_neighbors, 1)
        return trustworthiness(x.reshape(len(x), -1), self._embedded(x), min(k, (len(x) - 1) // 2))

    def save(self, path: str | os.PathLike) -> None:
        """Writes what was learned, and the parameters but network, random_state and verbose, to one .npz file."""
        self._require_fitted()
        numbers = {name: np.array(getattr(self, name), float) for name in NUMBERS}
        numbers |= {"exact": np.array(self.weighting == "exact", float), "form": np.array(self._form, float)}
        names = json.dumps(list(getattr(self, "feature_names_in_", [])))
        numbers["names"] = np.array(list(names.encode()), float)
        weights.save(path, numbers | {name: getattr(self, f"{name}_") for name in LEARNED})

    @classmethod
    def load(cls, path: str | os.PathLike, network: Any = None) -> Self:
        """A fitted DrLIM from such a file, with the network that it was given, if any. Nothing in it is executed."""
        tree = weights.load(path)
        remedy = "choose a file that DrLIM.save wrote, and give the network that it was fitted with"
        with weights.refusing(path, "is no map of this network", remedy):
            loaded = cls(**{name: kind(tree[name]) for name, kind in NUMBERS.items()}, network=network)
            loaded.weighting = "exact" if tree["exact"] else "balanced"
            for name in LEARNED:
                setattr(loaded, f"{name}_", tree[name])
            loaded._form, loaded.n_iter_ = tuple(tree["form"].astype(int).tolist()), len(loaded.loss_curve_)
            loaded.n_features_in_, loaded._dtype = len(loaded.mean_), loaded.embedding_.dtype
            if names := json.loads(bytes(tree["names"].astype(np.uint8))):
                loaded.feature_names_in_ = np.array(names, dtype=object)
            loaded.network_ = inputs.network_of(network, int(loaded.varied_.sum()), loaded.n_components)
            loaded._embedded(loaded._input(loaded.mean_.reshape(1, *loaded._form)))
        return loaded

    # The rest of scikit-learn's conventions, by hand: it is never imported from here.

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name, as they were given. `deep` changes nothing: none holds an estimator."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self, **params: Any) -> Self:
        """Changes parameters; they take effect at the next `fit`."""
        known = self.get_params()
        for name, value in params.items():
            require(name in known, f"{name} is no parameter of DrLIM: choose from {', '.join(known)}")
            setattr(self, name, value)
        return self

    def set_output(self, *, transform: str | None = None) -> Self:
        """The kind of the maps: "default", an array, "pandas" or "polars", a table with named columns; None: as is."""
        remedy = 'choose "default", "pandas" or "polars"'
        require(transform in (None, "default", "pandas", "polars"), f"transform is {transform!r}: {remedy}")
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}  # a name that scikit-learn's `clone` copies
        return self

    def set_fit_request(self, *, similar: bool | str | None) -> Self:
        """Whether `fit` asks a Pipeline or a search for `similar`, or under which name, by metadata routing."""
        self._metadata_request = self.get_metadata_routing()  # another such name
        self._metadata_request.fit.add_request(param="similar", alias=similar)
        return self

    def get_metadata_routing(self) -> Any:
        """What scikit-learn asks of an estimator when it routes metadata."""
        from sklearn.utils.metadata_routing import MetadataRequest

        request = MetadataRequest("DrLIM")
        request.fit.add_request(param="similar", alias=None)
        return getattr(self, "_metadata_request", request)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The names of the map's coordinates, such as drlim0 and drlim1; those of the features do not matter."""
        self._require_fitted()
        return np.array([f"drlim{number}" for number in range(self.embedding_.shape[1])], dtype=object)

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks of every estimator. It alone calls this, so that it is there to be imported."""
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        kept = TransformerTags(preserves_dtype=["float64", "float32"])
        return Tags(None, TargetTags(required=False), kept, input_tags=InputTags(three_d_array=True))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "embedding_")

    def _require_fitted(self) -> None:
        require(self.__sklearn_is_fitted__(), "this DrLIM is not fitted: call fit first")

    def _taken(self, x: Any, least: int = 1) -> np.ndarray:
        """x as G_W takes it. The columns of a table are those of `fit`, in their order; in scikit-learn's words."""
        self._require_fitted()
        given, known = inputs.feature_names(x), list(getattr(self, "feature_names_in_", ()))
        if given and known and given != known:
            found = sorted({*given} ^ {*known}) or "must be in the same order as they were in fit"
            raise InputError(f"The feature names should match those that were passed during fit: {found}")
        return self._input(inputs.samples("X", x, least))

    def _contained(self, z: np.ndarray, x: Any) -> Any:
        """z (samples, dims) as `set_output` asked, or else `sklearn.set_config` where scikit-learn is in use."""
        sklearn = sys.modules.get("sklearn")
        kind = sklearn.get_config()["transform_output"] if sklearn else "default"
        kind = getattr(self, "_sklearn_output_config", {}).get("transform", kind)
        if kind == "default":
            return z
        require(find_spec(kind) is not None, f"{kind} is not installed: pip install {kind}, or ask for another output")
        if kind == "polars":
            return import_module("polars").DataFrame(z, schema=self.get_feature_names_out().tolist())
        index = x.index if hasattr(x, "iloc") else None  # a table of pandas'; a list has an index that is none
        return import_module("pandas").DataFrame(z, index=index, columns=self.get_feature_names_out())

    def _input(self, x: np.ndarray) -> np.ndarray:
        """x as G_W takes it: centred, of variance 1 over all features together, because raw values saturate tanh."""
        rows, wanted = x.reshape(len(x), -1), self.n_features_in_
        found = f"X has {rows.shape[1]} features, but DrLIM is expecting {wanted} features as input"
        require(rows.shape[1] == wanted, f"{found}: give what fit was given")
        alike = x.shape[1:] == self._form or x.ndim == 2
        require(alike, f"X has samples of shape {x.shape[1:]}, but fit was given {self._form}: give what fit was given")
        with np.errstate(over="ignore"):
            rows = ((rows - self.mean_) / self.scale_).astype(self._dtype)
        return rows[:, self.varied_ == 1] if self.network is None else rows.reshape(len(x), *self._form)

    def _embedded(self, x: np.ndarray) -> np.ndarray:
        """The place on the map of samples as G_W takes them."""
        with np.errstate(over="ignore", invalid="ignore"):
            z = embed(self.network_, self.weights_, x)
        there = np.isfinite(z).all(axis=1)
        require(bool(there.all()), f"sample {there.argmin()} of X is too far from those of fit: is it in another unit?")
        return z


def clipped(objective: Objective, longest: float) -> Objective:
    """The same, its gradient at most `longest` long (Pascanu et al., 2013): each of a few dozen samples weighs more."""

    def shortened(params: Tree, rng: np.random.Generator, progress: float) -> tuple[Array, Tree]:
        loss, gradient = objective(params, rng, progress)
        length = sqrt(sum(float((g * g).sum()) for _, g in leaves(gradient)))
        return loss, tree_map(lambda g: g * min(1.0, longest / length), gradient) if length > longest else gradient

    return shortened
