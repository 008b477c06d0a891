"""``%mlops`` and ``%%mlops``: the verbs in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbship.faces.session import Session
    from nbship.verbs.answer import Answer

_NAME = "mlops"


def register_magics(shell: Any, session: Session) -> None:  # noqa: ANN401  # IPython has no types
    """Register the magics and the completion of verbs."""
    from IPython.core.magic import no_var_expand

    def mlops(line: str, cell: str | None = None) -> None:
        """Call a verb of nbship; ``%mlops --help`` lists them."""
        run_magic(line, cell, session)

    magic = no_var_expand(mlops)
    shell.register_magic_function(magic, "line", _NAME)
    shell.register_magic_function(magic, "cell", _NAME)
    completer = _completer(session)
    shell.set_hook("complete_command", completer, str_key=f"%{_NAME}")
    shell.set_hook("complete_command", completer, str_key=f"%%{_NAME}")


def remove_magics(shell: Any) -> None:  # noqa: ANN401  # IPython has no types
    """Remove the magics."""
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop(_NAME, None)


def run_magic(line: str, body: str | None, session: Session) -> None:
    """Run one verb and display its answer.

    Raises
    ------
    NbshipError
        Whatever the verb refuses; the cell fails with it.
    """
    from nbship.verbs.answer import Context
    from nbship.verbs.expressions import split_magic
    from nbship.verbs.parser import run_words

    context = Context(
        workbench=session.workbench,
        session=session,
        namespace=session.namespace,
        body=body,
    )
    answer, as_json = run_words(split_magic(line), context)
    _display(answer, as_json=as_json)


class AnswerView:
    """An answer as notebooks show it: widget, else HTML, else text.

    Parameters
    ----------
    answer
        What the verb said.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __repr__(self) -> str:
        return self._answer.text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:  # noqa: ANN401  # IPython's protocol
        bundle: dict[str, Any] = {"text/plain": self._answer.text}
        if self._answer.html:
            bundle["text/html"] = self._answer.html
        if self._answer.widget is not None:
            made = self._answer.widget._repr_mimebundle_() or {}  # the protocol
            live = made[0] if isinstance(made, tuple) else made
            bundle |= {k: v for k, v in live.items() if k not in bundle}
        return bundle


def _display(answer: Answer, *, as_json: bool) -> None:
    from IPython.display import display

    from nbship.records.codec import json_text

    if as_json:
        print(json_text(answer.data), end="")  # noqa: T201  # the answer
    else:
        display(AnswerView(answer))


def _completer(session: Session) -> Callable[[Any, Any], list[str]]:
    """Make the hook by which IPython asks what may stand behind ``%mlops``."""

    def complete_line(_shell: Any, event: Any) -> list[str]:  # noqa: ANN401  # IPython has no types
        from nbship.errors import NbshipError
        from nbship.verbs.answer import Context
        from nbship.verbs.completing import complete, words_of

        line = event.line[: getattr(event, "cursor", None)].lstrip("%")
        words = words_of(line)
        try:
            found = complete(words, Context(workbench=session.workbench))
        except NbshipError:
            return []
        typed = len(words[-1]) - len(event.symbol) if words else 0
        return [word[max(0, typed) :] for word in found]  # IPython splits at "="

    return complete_line
