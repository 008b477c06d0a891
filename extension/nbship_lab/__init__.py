"""The Jupyter server extension of nbship."""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from nbship_lab.app import NbshipLabApp

    return [{"module": "nbship_lab", "app": NbshipLabApp}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "../labextension", "dest": "nbship-lab"}]
