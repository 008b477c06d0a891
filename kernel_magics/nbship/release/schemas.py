"""The files that describe a signature to programs: two JSON Schemas and an OpenAPI document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nbship.release.json_schema import INPUT, OUTPUT, input_schema, output_schema
from nbship.release.openapi import OPENAPI, Asked, openapi_document
from nbship.release.wheel_text import distribution_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.release import RootCapture

#: in the package -> in the bundle
PLACES = {INPUT: f"schema/{INPUT}", OUTPUT: f"schema/{OUTPUT}", OPENAPI: OPENAPI}


def schema_files(
    capture: RootCapture, origin: Mapping[str, Any], *, asked: Asked | None = None
) -> dict[str, str]:
    """Write the files, by their names in the package; equal captures give equal bytes.

    Parameters
    ----------
    capture
        The captured root.
    origin
        What ``origin.json`` says: ``package`` and ``version`` at least.
    asked
        What one instance of the plain route is, as the golden cases show it.
    """
    name = str(origin.get("name") or distribution_name(str(origin["package"])))
    documents = {
        INPUT: input_schema(capture.signature, title=f"input of {capture.name}"),
        OUTPUT: output_schema(capture.signature, title=f"output of {capture.name}"),
        OPENAPI: openapi_document(
            capture.signature,
            name=name,
            version=str(origin["version"]),
            root=capture.name,
            asked=asked,
        ),
    }
    return {
        file: json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        for file, document in documents.items()
    }
