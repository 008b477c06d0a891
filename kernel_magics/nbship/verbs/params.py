"""The verb ``params``: what a notebook takes, as a table, JSON, JSON Schema or a form."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.errors import UsageError
from nbship.verbs.answer import Answer, Verb
from nbship.verbs.words import table

if TYPE_CHECKING:
    import argparse

    from nbship.records.parameters import Parameter, ParameterContract
    from nbship.verbs.answer import Context


def _params(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.jobs.contract import read_contract

    _, notebook = context.workbench.notebook(Path(given.notebook))
    contract = read_contract(notebook)
    if given.schema:
        return _schema(contract, given.notebook)
    if contract.cell_id is None:
        text = f"{given.notebook}: no cell is tagged 'parameters'"
        return Answer(text=text, data=contract)
    rows = [parameter_row(parameter) for parameter in contract.parameters]
    if not rows:
        text = f"{given.notebook}: the parameters cell sets nothing"
        return Answer(text=text, data=contract)
    widget = None
    if given.form and context.session is not None:
        from nbship.widgets.parameter_form import make_form

        widget = make_form(contract, given.notebook)
    return Answer(text=table(rows), data=contract, html=_html(rows), widget=widget)


def add_values(parser: argparse.ArgumentParser) -> None:
    """Take values: ``-p name=value``, and those of the form that was shown."""
    parser.add_argument(
        "-p",
        dest="values",
        action="append",
        default=[],
        metavar="name=value",
        help="set a parameter; `mlops params NOTEBOOK` lists them",
    )
    parser.add_argument(
        "--form",
        action="store_true",
        help="in a notebook: take the values of the form shown by `%%mlops params --form`",
    )


def given_texts(given: argparse.Namespace, notebook: str) -> dict[str, str]:
    """Return the values for a notebook as texts; ``-p`` counts before its form.

    Raises
    ------
    ParameterError
        If a word has no ``=`` or no name before it.
    UsageError
        If the form is asked for and none was shown.
    """
    from nbship.jobs.values import split_assignments

    form = _form_texts(notebook) if given.form else {}
    return form | split_assignments(given.values)


def _form_texts(notebook: str) -> dict[str, str]:
    from nbship.widgets.parameter_form import shown_texts

    texts = shown_texts(notebook)
    if texts is None:
        raise UsageError(
            f"mlops submit --form: no form was shown for {notebook}",
            hint=f"Show it in the notebook: `%mlops params {notebook} --form`.",
        )
    return texts


def _schema(contract: ParameterContract, notebook: str) -> Answer:
    import json

    from nbship.jobs.schema import contract_schema

    schema = contract_schema(contract, title=Path(notebook).name)
    return Answer(text=json.dumps(schema, indent=1, ensure_ascii=False), data=schema)


def parameter_row(parameter: Parameter) -> tuple[str, ...]:
    """Write a parameter for people: name, type, default, what it means and may be."""
    default = "(required)" if parameter.is_required else f"= {parameter.default_text}"
    inferred = " (inferred)" if parameter.is_inferred else ""
    return (
        parameter.name,
        _type_text(parameter) + inferred,
        default,
        "; ".join(filter(None, _words(parameter))),
    )


def _type_text(parameter: Parameter) -> str:
    from nbship.jobs.kinds import type_text
    from nbship.jobs.typed import type_of
    from nbship.records.parameters import ParameterKind

    is_long = "Annotated" in parameter.annotation
    is_alias = parameter.annotation.isidentifier() and parameter.kind not in {
        ParameterKind.ANY,
        ParameterKind.ENUM,
    }
    if parameter.is_inferred or not (is_long or is_alias):
        return parameter.annotation
    return type_text(type_of(parameter))


def _words(parameter: Parameter) -> list[str]:
    from nbship.jobs.kinds import options
    from nbship.jobs.limits import bounds_text
    from nbship.jobs.typed import type_of
    from nbship.records.parameters import ParameterKind

    unit = f"[{parameter.unit}] " if parameter.unit else ""
    words = [(unit + parameter.description).strip()]
    for option in options(type_of(parameter)):
        if option.kind is ParameterKind.ENUM:
            more = ", ..." if option.is_open else ""
            words.append(f"one of {', '.join(option.choices)}{more}")
        if option.bounds is not None:
            words.append(bounds_text(option.bounds))
    return [*words, _misfit(parameter)]


def _misfit(parameter: Parameter) -> str:
    """Say where a notebook's own default breaks its annotation; "" where it does not."""
    from nbship.jobs.values import fit_json

    if parameter.default is not None and not parameter.is_required:
        try:
            fit_json(parameter, parameter.default)
        except ValueError as error:
            return f"the default does not fit: {error}"
    return ""


def _html(rows: list[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{word}</th>" for word in ("name", "type", "default", "means"))
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>"
        for row in rows
    )
    return f"<table class='nbship-params'><thead><tr>{head}</tr></thead>{body}</table>"


def _add_params(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebook", help="the notebook to read")
    parser.add_argument(
        "--schema", action="store_true", help="print the JSON Schema of its values"
    )
    parser.add_argument(
        "--form",
        action="store_true",
        help="in a notebook: show a form; `submit --form` takes what it holds",
    )


VERBS: tuple[Verb, ...] = (
    Verb(
        name="params",
        stage="Test",
        help="show the parameters that a notebook takes",
        run=_params,
        add_arguments=_add_params,
    ),
)
