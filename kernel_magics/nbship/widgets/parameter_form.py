"""A notebook's parameters as a form: what is typed is checked at once, and feeds ``submit``.

A field that is left empty keeps the default. The texts are those that ``-p`` takes; the form
shows the line that they make, and ``%mlops submit NOTEBOOK --form`` uses them as they stand.
"""

from __future__ import annotations

import shlex
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.jobs.encoding import decode_any
from nbship.jobs.kinds import is_optional, options, type_text
from nbship.jobs.limits import bounds_text
from nbship.jobs.typed import type_of
from nbship.jobs.values import read_value
from nbship.records.parameters import ParameterKind as Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.parameters import Parameter, ParameterContract, ParameterType

_HERE = Path(__file__).parent
#: the form last shown for each notebook, by its resolved path
_SHOWN: dict[Path, Any] = {}


def form_fields(contract: ParameterContract) -> list[dict[str, Any]]:
    """Describe each parameter's field, as JSON values."""
    return [_field(parameter) for parameter in contract.parameters]


def _field(parameter: Parameter) -> dict[str, Any]:
    kind = type_of(parameter)
    bounds = [bounds_text(o.bounds) for o in options(kind) if o.bounds is not None]
    notes = [parameter.description, *bounds]
    type_shown = parameter.annotation if parameter.is_inferred else type_text(kind)
    return {
        "name": parameter.name,
        "type": type_shown + (" (inferred)" if parameter.is_inferred else ""),
        "default": "" if parameter.is_required else parameter.default_text,
        "required": parameter.is_required,
        "unit": parameter.unit,
        "about": "; ".join(filter(None, notes)),
        "choices": _choices(kind),
        "numeric": parameter.kind in {Kind.INT, Kind.FLOAT},
    }


def _choices(kind: ParameterType) -> list[str]:
    """List the texts of a closed set of values; none where it is open."""
    found: list[str] = []
    for option in options(kind):
        if option.kind is Kind.BOOL:
            found += ["true", "false"]
        elif option.kind is Kind.LITERAL:
            found += [_choice_text(choice) for choice in option.choices]
        elif option.kind is Kind.ENUM and not option.is_open:
            found += option.choices
        else:
            return []
    return [*found, "None"] if is_optional(kind) else found


def _choice_text(choice: Any) -> str:  # noqa: ANN401
    value = decode_any(choice)
    return value.name if hasattr(value, "maker") else str(value)


def form_answer(
    contract: ParameterContract, texts: Mapping[str, str], *, notebook: str
) -> dict[str, Any]:
    """Check the texts of a form.

    Returns
    -------
    dict
        ``mistakes`` by name, the names that are ``missing``, and the ``command`` that they make.
    """
    mistakes = {}
    for parameter in contract.parameters:
        if parameter.name in texts:
            try:
                read_value(parameter, texts[parameter.name])
            except ValueError as error:
                mistakes[parameter.name] = str(error)
    words = [f"-p {shlex.quote(f'{name}={text}')}" for name, text in texts.items()]
    return {
        "mistakes": mistakes,
        "missing": [
            p.name for p in contract.parameters if p.is_required and p.name not in texts
        ],
        "command": " ".join(["%mlops submit", shlex.quote(notebook), *words]),
    }


def make_form(contract: ParameterContract, notebook: str) -> Any:  # noqa: ANN401  # an anywidget
    """Make the form of a notebook, and remember it for ``submit --form``."""
    form = _form_class()(
        fields=form_fields(contract),
        notebook=notebook,
        answer=form_answer(contract, {}, notebook=notebook),
    )

    def check(change: Any) -> None:  # noqa: ANN401  # traitlets has no types
        form.answer = form_answer(contract, change["new"], notebook=notebook)

    form.observe(check, names="texts")
    _SHOWN[Path(notebook).resolve()] = form
    return form


def shown_texts(notebook: str) -> dict[str, str] | None:
    """Return the texts of the form last shown for a notebook; None where there is none."""
    form = _SHOWN.get(Path(notebook).resolve())
    return None if form is None else dict(form.texts)


@cache
def _form_class() -> type[Any]:
    import anywidget
    import traitlets

    class ParameterForm(anywidget.AnyWidget):
        """The front end's counterpart of ``parameter_form.js``."""

        _esm = (_HERE / "parameter_form.js").read_text("utf-8")
        _css = (_HERE / "parameter_form.css").read_text("utf-8")
        fields = traitlets.List().tag(sync=True)
        notebook = traitlets.Unicode().tag(sync=True)
        #: by name, of the fields that are not empty
        texts = traitlets.Dict().tag(sync=True)
        answer = traitlets.Dict().tag(sync=True)

    return ParameterForm
