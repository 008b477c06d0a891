"""Values: texts and Python values read by the contract, all mistakes reported together."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from nbship.errors import (
    ParameterError,
    ParametersCellMissingError,
    UnknownParameterError,
)
from nbship.jobs.encoding import encode
from nbship.jobs.fitting import fit, shown
from nbship.jobs.texts import read_text
from nbship.jobs.typed import type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nbship.records.parameters import Parameter, ParameterContract

_HINT = "`mlops params NOTEBOOK` shows what the notebook takes."


def split_assignments(words: Iterable[str]) -> dict[str, str]:
    """Split ``name=value`` words; the last value of a name counts.

    Raises
    ------
    ParameterError
        If a word has no ``=`` or no name before it.
    """
    texts = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name.strip():
            raise ParameterError(
                f"-p {word}: name=value was expected", hint="Write -p name=value."
            )
        texts[name.strip()] = text
    return texts


def parse_values(
    contract: ParameterContract, texts: Mapping[str, str], *, where: str
) -> dict[str, Any]:
    """Read texts, as ``-p name=value`` gives them, by the contract.

    Parameters
    ----------
    contract
        What the notebook declares.
    texts
        Text by name.
    where
        The notebook, for messages.

    Returns
    -------
    dict
        JSON values by name.

    Raises
    ------
    ParametersCellMissingError
        If there are texts and no parameters cell.
    UnknownParameterError
        If a name is not declared.
    ParameterError
        If a text does not fit its type, or a required parameter has no value.
    """
    return _read_all(contract, texts, where=where, read=read_value)


def check_values(
    contract: ParameterContract, values: Mapping[str, Any], *, where: str
) -> dict[str, Any]:
    """Check Python or JSON values by the contract; raises what :func:`parse_values` raises.

    Returns
    -------
    dict
        JSON values by name, as :mod:`nbship.jobs.encoding` writes them.
    """
    return _read_all(contract, values, where=where, read=fit_value)


def _read_all(
    contract: ParameterContract,
    given: Mapping[str, Any],
    *,
    where: str,
    read: Callable[[Parameter, Any], Any],
) -> dict[str, Any]:
    if given and contract.cell_id is None:
        raise ParametersCellMissingError(
            f"{where}: values were given ({', '.join(given)}) and no cell is tagged"
            " 'parameters'",
            hint="Tag the cell that sets the defaults with 'parameters'.",
        )
    known = {parameter.name: parameter for parameter in contract.parameters}
    unknown = [_unknown(name, known) for name in given if name not in known]
    mistakes = list(unknown)
    values = {}
    for name, raw in given.items():
        if name in known:
            try:
                values[name] = read(known[name], raw)
            except ValueError as error:
                mistakes.append(f"{name} = {shown(raw)}: {error}")
    mistakes += [
        f"{p.name}: a value is required (it is declared {p.annotation!r} without one)"
        for p in contract.parameters
        if p.is_required and p.name not in given
    ]
    if mistakes:
        kind = UnknownParameterError if unknown else ParameterError
        raise kind(f"{where}: " + "\n".join(mistakes), hint=_HINT)
    return values


def _unknown(name: str, known: Mapping[str, Parameter]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"no parameter {name!r}{meant}"


def read_value(parameter: Parameter, text: str) -> Any:  # noqa: ANN401
    """Read one text to a JSON value; a ValueError says what was expected."""
    kind = type_of(parameter)
    return encode(kind, read_text(kind, text))


def fit_value(parameter: Parameter, value: Any) -> Any:  # noqa: ANN401
    """Turn one Python value into a JSON value; a ValueError says what was expected."""
    kind = type_of(parameter)
    return encode(kind, fit(kind, value))


def fit_json(parameter: Parameter, value: Any) -> Any:  # noqa: ANN401
    """Check one JSON value, and return it as we write it; raises what the others raise."""
    kind = type_of(parameter)
    return encode(kind, fit(kind, value, is_json=True))
