"""Every codec, in the order of preference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.adapters.codecs.arrow_codec import ArrowCodec
from nbship.adapters.codecs.boosters import LightgbmCodec, XgboostCodec
from nbship.adapters.codecs.json_codec import JsonCodec
from nbship.adapters.codecs.npz_codec import NpzCodec
from nbship.adapters.codecs.skops_codec import SkopsCodec
from nbship.adapters.codecs.tensors import SafetensorsCodec
from nbship.adapters.codecs.tree_codec import TreeCodec
from nbship.errors import ExportError
from nbship.plugins import load_plugins

if TYPE_CHECKING:
    from nbship.ports_shipping import Codec


def all_codecs() -> tuple[Codec, ...]:
    """Return the codecs of plug-ins, then our own.

    A plug-in of the group ``nbship.codecs`` names its reader as ``module:function``.

    Raises
    ------
    ExportError
        If a plug-in cannot be loaded, or is no codec.
    """
    plugins = []
    for label, codec in load_plugins("nbship.codecs", error=ExportError):
        is_codec = callable(getattr(codec, "encode", None))
        if not is_codec or ":" not in getattr(codec, "name", ""):
            raise ExportError(
                f"{label}: no codec with a name 'module:function' and a method 'encode'",
                hint="Mend or uninstall that plug-in.",
            )
        plugins.append(codec)
    return (
        *plugins,
        NpzCodec(),
        ArrowCodec(),
        JsonCodec(),
        SafetensorsCodec(),
        XgboostCodec(),
        LightgbmCodec(),
        SkopsCodec(),
        TreeCodec(),
    )
