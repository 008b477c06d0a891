"""A released package as a model of MLflow; this file lies in the model's folder, beside its wheel.

MLflow runs it when the model is loaded (*models from code*): nothing is pickled. The wheel is
unpacked into a temporary folder and imported under a name of its own, so that it need not be
installed, and two versions of one package can be loaded side by side.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel

if TYPE_CHECKING:
    from types import ModuleType


class ReleasedModel(PythonModel):  # type: ignore[misc]
    """Answers as ``python -m PACKAGE predict`` does, with the same check of input."""

    #: MLflow would like the schema as type hints of `predict`, and warns; it stands in MLmodel
    _skip_type_hint_validation = True

    def load_context(self, context: Any) -> None:
        """Unpack and import the wheel.

        Raises
        ------
        MlflowException
            If the wheel is not the one that was released.
        """
        about = json.loads(Path(context.artifacts["release"]).read_text("utf-8"))
        wheel = Path(context.artifacts["wheel"])
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != about["wheel_sha256"]:
            text = f"{wheel.name}: sha256 {found} where {about['wheel_sha256']} was released"
            raise MlflowException(text, error_code=INVALID_PARAMETER_VALUE)
        # lives as long as the model: state and golden cases are read when they are asked for
        self._folder = tempfile.TemporaryDirectory(prefix="released-model-")
        with zipfile.ZipFile(wheel) as files:
            files.extractall(self._folder.name)
        name = f"{about['package']}_{found[:16]}"
        self._package = _imported(name, Path(self._folder.name, about["package"]))
        self._inputs = importlib.import_module(f"{name}.inputs._inputs")
        self._batch = importlib.import_module(f"{name}.batch._batch")
        self._case = next(
            importlib.import_module(f"{name}.parity._replay").golden_cases()
        )
        self._predict = self._package.predict

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, ARG002
        """Answer rows of a table, or one call a row.

        Raises
        ------
        MlflowException
            If anything does not fit the signature; all of it together.
        ValueError
            Whatever ``predict`` itself raises.
        """
        try:
            if self._inputs.form() == "frame":
                return self._answer_frame(model_input)
            if self._inputs.form() == "array":
                return self._answer_array(model_input)
            return [self._answer_call(row) for row in _rows(model_input)]
        except ValueError as error:
            if getattr(error, "problems", None) is None:
                raise
            raise MlflowException(
                str(error), error_code=INVALID_PARAMETER_VALUE
            ) from error

    def _answer_frame(self, frame: Any) -> Any:
        named = frame.rename(columns=str)
        rows = [self._plain(row) for row in named.to_dict("records")]
        table, _ = self._inputs.table_of(rows, allows_extra=True)
        table.index = frame.index
        return self._call(table)

    def _answer_array(self, given: Any) -> Any:
        rows = given.to_numpy() if hasattr(given, "to_numpy") else given
        rows = rows.tolist() if hasattr(rows, "tolist") else rows
        table, _ = self._inputs.table_of(rows)
        return self._call(table)

    def _answer_call(self, row: dict[str, Any]) -> Any:
        given = {}
        for spec in self._inputs.specs():
            value = row.get(spec.name)
            is_missing = value is None or (isinstance(value, float) and value != value)  # noqa: PLR0124  # NaN
            if is_missing and not spec.is_required:
                continue  # the table had to have the column for the sake of other calls
            if spec.name in row:
                is_number = is_missing and spec.dtype.startswith("float")
                given[spec.name] = value if is_number else self._batch.plain(value)
        args, named, _ = self._inputs.call_of(given)
        return _writable(self._predict(*args, **named), self._batch.plain)

    def _call(self, table: Any) -> Any:
        """Hand a table over as the recorded calls did."""
        if self._case["args"]:
            return self._predict(table)
        return self._predict(**{next(iter(self._case["kwargs"])): table})

    def _plain(self, row: dict[str, Any]) -> dict[str, Any]:
        return {name: self._batch.plain(value) for name, value in row.items()}


def _imported(name: str, folder: Path) -> ModuleType:
    """Import a package under a name of its own; its parts import each other relatively.

    Raises
    ------
    MlflowException
        If there is none.
    """
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise MlflowException(f"{folder.name}: no package")
    module = importlib.util.module_from_spec(spec)
    for known in [key for key in sys.modules if key.partition(".")[0] == name]:
        del sys.modules[known]  # of an earlier load, whose folder may be gone
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _rows(given: Any) -> list[dict[str, Any]]:
    """Return the calls: rows of a frame, or objects by argument."""
    if hasattr(given, "to_dict"):
        rows: list[dict[str, Any]] = given.to_dict("records")
        return rows
    return [given] if isinstance(given, dict) else list(given)


def _writable(answer: Any, plain: Any) -> Any:
    """Leave an answer that JSON and tables can hold as it is; write any other one plainly."""
    try:
        json.dumps(answer)
    except (TypeError, ValueError):
        return plain(answer)
    return answer


set_model(ReleasedModel())
