"""What scikit-learn expects of an estimator beyond fit and transform, by hand: it is never imported from here.

Parameters are what `__init__` takes, kept as they came; what was learned ends in an underscore. So an estimator can be
cloned, searched over, put into a Pipeline, and asked for a table instead of an array.
"""

import inspect
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Self

import numpy as np

from drlim_np.errors import InputError, require


class Conventions:
    """The parameters of an estimator, and the container that its output comes in."""

    embedding_: np.ndarray  # the map, (samples, dims), once fitted

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of `__init__` by name, as they were given. `deep` changes nothing: none holds an estimator."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Changes arguments of `__init__`; they take effect at the next `fit`."""
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

    def _require_names(self, x: Any) -> None:
        """After a fit, the columns of a table are those that it was given, in their order; in scikit-learn's words."""
        self._require_fitted()
        given, known = feature_names(x), list(getattr(self, "feature_names_in_", ()))
        if given and known and given != known:
            found = sorted({*given} ^ {*known}) or "must be in the same order as they were in fit"
            raise InputError(f"The feature names should match those that were passed during fit: {found}")

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


def feature_names(x: Any) -> list[str]:
    """The names of a table's columns, if they are texts."""
    names = list(getattr(x, "columns", ()))
    texts = [name for name in names if isinstance(name, str)]
    require(texts in ([], names), "X has feature names that are texts and others: rename by X.columns.astype(str)")
    return texts
