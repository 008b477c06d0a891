"""Tensors and sparse matrices of golden cases as JSON and back; see ``_values``.

Ships verbatim inside every exported package; PyTorch and SciPy are imported only where a
value needs them. Tensors come back on the processor, without gradient.
"""

from __future__ import annotations

import sys
from typing import Any

from ._values import NOT_MINE, UnsupportedValueError, decode, encode, number

#: kinds of torch that NumPy lacks, and what holds their values
_WIDER = {"bfloat16": "float32"}


def encode_foreign(value: Any, path: str) -> Any:
    """Turn a tensor or a sparse matrix into JSON; ``NOT_MINE`` for every other value.

    Raises
    ------
    UnsupportedValueError
        If it is of a kind that has no place in a golden case.
    """
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, getattr(torch, "Tensor", ())):
        return {"$tensor": _encode_tensor(value, path)}
    sparse = sys.modules.get("scipy.sparse")
    if sparse is not None and sparse.issparse(value):
        return {"$sparse": _encode_sparse(value, path)}
    return NOT_MINE


def _encode_tensor(value: Any, path: str) -> dict[str, Any]:
    name = str(value.dtype).removeprefix("torch.")
    if value.is_sparse or value.is_quantized or name.startswith("complex"):
        where = f"{path}: " if path else ""
        raise UnsupportedValueError(
            f"{where}a {name} tensor of that layout cannot be recorded"
        )
    flat = value.detach().cpu().reshape(-1)
    if name in _WIDER:
        flat = flat.float()
    values = flat.tolist()
    if value.dtype.is_floating_point:
        values = [number(item) for item in values]
    return {"dtype": name, "shape": list(value.shape), "values": values}


def _decode_tensor(body: dict[str, Any]) -> Any:
    import torch

    values = [decode(item) for item in body["values"]]
    return torch.tensor(values, dtype=getattr(torch, body["dtype"])).reshape(
        body["shape"]
    )


def _encode_sparse(value: Any, path: str) -> dict[str, Any]:
    rows = value.tocsr()
    return {
        "form": value.format,
        "is_array": type(value).__name__.endswith("_array"),
        "shape": list(value.shape),
        "dtype": value.dtype.str,
        "values": encode(rows.data, path)["$array"]["values"],
        "indices": rows.indices.tolist(),
        "starts": rows.indptr.tolist(),
    }


def _decode_sparse(body: dict[str, Any]) -> Any:
    import numpy as np
    from scipy import sparse

    make = sparse.csr_array if body["is_array"] else sparse.csr_matrix
    data = np.array([decode(item) for item in body["values"]], dtype=body["dtype"])
    found = make((data, body["indices"], body["starts"]), shape=tuple(body["shape"]))
    return found.asformat(body["form"])


#: kind -> reader of its body
DECODERS: dict[str, Any] = {"$tensor": _decode_tensor, "$sparse": _decode_sparse}
