"""A release as a model of MLflow: a folder that ``mlflow.pyfunc`` loads, without pickle.

The signature, the example and the requirements are those of the release; MLflow infers nothing
and runs nothing of the package.
"""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.records.digest import digest_file
from nbship.resources import shipped_module, template_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.records.mirror import Publication
    from nbship.records.signature import Column, Signature

_SCRIPT = "released_model.py"
_EXAMPLES = 5
#: pages of the bundle that go along, for readers
_PAPERS = (
    "HANDOFF.md",
    "MODEL_CARD.md",
    "CHANGELOG.md",
    "manifest.json",
    "sbom.cdx.json",
    "SHA256SUMS",
    "SHA256SUMS.sig",
    "signer.pub",
)
#: what a column of a frame may hold so that MLflow leaves it as it is
_TYPES = {
    "float64": "double",
    "float32": "float",
    "int64": "long",
    "uint32": "long",
    "int32": "integer",
    "int16": "integer",
    "int8": "integer",
    "uint16": "integer",
    "uint8": "integer",
    "bool": "boolean",
    "string": "string",
}


def write_model(publication: Publication, folder: Path) -> None:
    """Write the folder of a model.

    Parameters
    ----------
    publication
        The release.
    folder
        A path where nothing is yet.
    """
    bundle, manifest = Path(publication.bundle), publication.manifest
    lock = (bundle / "requirements.lock").read_text("utf-8")
    scratch = folder.with_name(f"{folder.name}-parts")
    scratch.mkdir(parents=True)
    about = scratch / "release.json"
    about.write_text(json.dumps(_about(publication), indent=1) + "\n", "utf-8")
    with warnings.catch_warnings():
        # what MLflow warns of is its own business: its type hints, its use of pandas
        warnings.simplefilter("ignore")
        from mlflow.pyfunc import save_model

        save_model(
            str(folder),
            python_model=str(template_folder("mlflow") / _SCRIPT),
            artifacts={
                "wheel": (bundle / manifest.wheel).as_uri(),
                "release": about.as_uri(),
            },
            signature=model_signature(manifest.signature, publication.case),
            input_example=input_example(manifest.signature, publication.case),
            pip_requirements=_pins(publication.pins),
            metadata={"mlops": _about(publication)},
        )
    _name_no_place(folder)
    _demand_hashes(folder, lock)
    papers = folder / "release"
    papers.mkdir()
    for name in _PAPERS:
        if (bundle / name).is_file():
            shutil.copyfile(bundle / name, papers / name)


def model_signature(signature: Signature, case: Mapping[str, Any]) -> Any:  # noqa: ANN401  # MLflow has no types here
    """Write our signature as MLflow's.

    A kind of value that MLflow would change or refuse is its ``any``: the package checks it
    itself, and names what is wrong.
    """
    from mlflow.models import ModelSignature
    from mlflow.types.schema import Schema, TensorSpec

    if signature.input_form == "array":
        recorded = _table(case)
        shape = (-1, *([-1] * (recorded.ndim - 1)))
        column = signature.inputs[0]
        if len(column.shape) == recorded.ndim - 1:
            shape = (-1, *column.shape)
        inputs = Schema([TensorSpec(recorded.dtype, shape)])
    else:
        dtypes = _frame_dtypes(case) if signature.input_form == "frame" else {}
        inputs = Schema([_spec(c, dtypes.get(c.name)) for c in signature.inputs])
    return ModelSignature(inputs=inputs, outputs=_outputs(signature))


def input_example(signature: Signature, case: Mapping[str, Any]) -> Any:  # noqa: ANN401  # a frame or an array
    """Take the first rows of the first golden case; None where no file can hold them."""
    if signature.input_form != "arguments":
        table = _table(case)[:_EXAMPLES]
        if hasattr(table, "columns"):
            return table.rename(columns=str)
        return table
    import pandas as pd

    plain = shipped_module("batch._batch").plain
    decode = shipped_module("_values").decode
    names = [column.name for column in signature.inputs]
    given = dict(zip(names, case["args"], strict=False)) | dict(case["kwargs"])
    row = {name: plain(decode(value)) for name, value in given.items()}
    return pd.DataFrame([row])


def _about(publication: Publication) -> dict[str, Any]:
    manifest = publication.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "package": manifest.package,
        "wheel_sha256": digest_file(Path(publication.bundle) / manifest.wheel),
        "release_sha256": publication.digest,
    }


def _pins(pins: Mapping[str, str]) -> list[str]:
    from mlflow.version import VERSION

    return [f"mlflow=={VERSION}", *(f"{name}=={pins[name]}" for name in sorted(pins))]


def _name_no_place(folder: Path) -> None:
    """Take the folders of this machine out of ``MLmodel``; only file names are read from it."""
    import yaml

    place = folder / "MLmodel"
    found = yaml.safe_load(place.read_text("utf-8"))
    flavor = found["flavors"]["python_function"]
    flavor["model_code_path"] = _SCRIPT
    for artifact in flavor["artifacts"].values():
        artifact["uri"] = artifact["path"]
    place.write_text(yaml.safe_dump(found, sort_keys=False), "utf-8")


def _demand_hashes(folder: Path, lock: str) -> None:
    """Let MLflow's environments be made from the lock with its hashes.

    Where one requirement has a hash pip demands one of all: MLflow itself is therefore
    installed in the step before, with what builds.
    """
    import yaml
    from mlflow.version import VERSION

    if not lock.strip():
        return
    (folder / "requirements.txt").write_text(lock, "utf-8")
    place = folder / "python_env.yaml"
    found = yaml.safe_load(place.read_text("utf-8"))
    found["build_dependencies"] = [
        *found.get("build_dependencies", ()),
        f"mlflow=={VERSION}",
    ]
    place.write_text(yaml.safe_dump(found, sort_keys=False), "utf-8")


def _table(case: Mapping[str, Any]) -> Any:  # noqa: ANN401
    decode = shipped_module("_values").decode
    return decode(next(iter((*case["args"], *case["kwargs"].values()))))


def _frame_dtypes(case: Mapping[str, Any]) -> dict[str, str]:
    """Return the exact dtype of each column: the signature writes extension types like others."""
    table = _table(case)
    return {str(n): str(t) for n, t in zip(table.columns, table.dtypes, strict=True)}


def _spec(column: Column, dtype: str | None) -> Any:  # noqa: ANN401
    from mlflow.types.schema import AnyType, ColSpec

    is_scalar = not (column.form or column.fields or column.shape)
    known = _TYPES.get(column.dtype) if is_scalar else None
    if column.dtype == "bool" and column.is_nullable:
        known = None
    if dtype is not None and column.dtype not in ("string", dtype):
        known = None  # such as Int64, whose missing values MLflow refuses
    if dtype == "datetime64[ns]":
        known = "datetime"
    return ColSpec(known or AnyType(), name=column.name, required=column.is_required)


def _outputs(signature: Signature) -> Any:  # noqa: ANN401
    """Write the outputs; None where MLflow has no words for them."""
    from mlflow.types.schema import AnyType, ColSpec, Schema

    columns: Sequence[Column] = signature.outputs
    if not columns:
        return None
    if signature.output_form == "value" and len(columns) == 1:
        return Schema([ColSpec(_output_type(columns[0]) or AnyType())])
    return Schema([ColSpec(_output_type(c) or AnyType(), name=c.name) for c in columns])


def _output_type(column: Column) -> str | None:
    if column.fields or column.shape or column.form not in {"", "array", "series"}:
        return None
    return _TYPES.get(column.dtype)
