"""What a file or the environment holds, turned into what a setting is."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from nbship.records.codec import from_json
from nbship.records.policy import MetricRule
from nbship.records.statements import STATEMENTS
from nbship.records.vetting import Waiver

#: keys of tables whose rows stand in settings as ``name=text``
_TABLES = ("job.secrets", "release.statements")


def convert(key: str, raw: Any, *, default: Any) -> Any:  # noqa: ANN401  # whatever TOML or the environment holds
    """Turn a value into what the setting is by its default.

    Parameters
    ----------
    key
        The setting, such as ``export.roots``.
    raw
        The value as TOML or the environment has it.
    default
        The setting's default, which tells its type.

    Raises
    ------
    TypeError
        If it is of another type.
    ValueError
        If it names something unknown.
    """
    if key == "vet.metrics":
        return tuple(
            from_json(MetricRule, {"name": n, **rule}) for n, rule in dict(raw).items()
        )
    if key == "vet.waivers":
        return tuple(
            from_json(Waiver, dict(waiver, expires_on=str(waiver["expires_on"])))
            for waiver in raw
        )
    if key in _TABLES and isinstance(raw, Mapping):
        raw = [f"{name}={text}" for name, text in raw.items()]
    if key == "release.statements":
        return _statements(raw)
    if isinstance(default, tuple):
        items = raw.split(",") if isinstance(raw, str) else list(raw)
        return tuple(str(item).strip() for item in items if str(item).strip())
    return _plain(raw, default)


def _plain(raw: Any, default: Any) -> Any:  # noqa: ANN401
    """Read a truth value, a number or a text.

    Raises
    ------
    TypeError
        If it is of another type than the default.
    """
    if isinstance(default, bool):
        return _truth(raw)
    if isinstance(default, (int, float)):
        if isinstance(raw, bool):
            raise TypeError("a number was expected")
        return type(default)(raw)
    if not isinstance(raw, str):
        raise TypeError("a string was expected")
    return raw


def _statements(raw: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Read what the owner said: ``key=text``; a comma is part of the text.

    Raises
    ------
    ValueError
        If there is no such statement.
    """
    lines = (raw,) if isinstance(raw, str) else tuple(map(str, raw))
    for line in lines:
        key = line.partition("=")[0].strip()
        if key not in STATEMENTS:
            near = difflib.get_close_matches(key, STATEMENTS, n=1) or list(STATEMENTS)
            raise ValueError(f"no statement {key!r}; there is {', '.join(near)}")
    return lines


def _truth(raw: Any) -> bool:  # noqa: ANN401
    words = {"true": True, "false": False, "1": True, "0": False}
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in words:
        return words[raw.lower()]
    raise TypeError("true or false was expected")
