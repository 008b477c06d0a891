"""What skops makes of an object: its schema and files, without an archive in between.

``skops.io.dumps`` writes the schema indented, by the slow encoder of the standard library, into
an archive that we would take apart again; so its own steps are called one by one. Where a later
skops has other steps, the public functions are used.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from nbship.adapters.codecs.archive import archive_of


class _Files:
    """Stands where skops expects an archive."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files = {} if files is None else files

    def namelist(self) -> dict[str, bytes]:
        return self.files

    def writestr(self, name: str, data: Any) -> None:  # noqa: ANN401  # bytes or text
        self.files[name] = data.encode() if isinstance(data, str) else bytes(data)

    def read(self, name: str) -> bytes:
        return self.files[name]


def written_parts(value: object) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the schema that skops writes of an object, and the files that it names.

    Raises
    ------
    Exception
        Whatever skops, or the object's own methods, raise.
    """
    import skops.io

    try:
        from skops.io._utils import SaveContext, get_state
    except ImportError:
        return _taken_apart(skops.io.dumps(value))
    files = _Files()
    context = SaveContext(zip_file=files)
    state = get_state(value, context)
    context.clear_memo()
    # what the object's own state held, such as tuples, becomes what a reader will see
    state = json.loads(json.dumps(state))
    state["protocol"], state["_skops_version"] = context.protocol, skops.__version__
    return state, files.files


def untrusted_types(schema: dict[str, Any], files: dict[str, bytes]) -> list[str]:
    """Name the types that a reader of the parts must trust, sorted."""
    import skops.io

    try:
        from skops.io._audit import get_tree
        from skops.io._utils import LoadContext
    except ImportError:
        data = archive_of({**files, "schema.json": json.dumps(schema).encode()})
        return sorted(skops.io.get_untrusted_types(data=data))
    context = LoadContext(src=_Files(files), protocol=schema["protocol"])
    return sorted(get_tree(schema, context, trusted=None).get_unsafe_set())


def _taken_apart(data: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(files.pop("schema.json")), files
