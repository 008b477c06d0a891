"""What a verb is, what it is handed, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from nbship.workbench import Workbench

#: exit codes of the ``mlops`` command
OK = 0
#: the question was answered with no: a job failed, a verdict blocks, a bundle does not verify
ANSWER_IS_NO = 1
#: the words were not understood
USAGE = 2
#: input, settings or machine are in the way; nothing was changed
REFUSED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a verb has to say, for every face."""

    #: for terminals and as the fallback in notebooks
    text: str
    #: JSON value for ``--json``; records are encoded by the face
    data: Any = None
    exit_code: int = OK
    #: static HTML for notebooks; "" where the text serves
    html: str = ""
    #: a live widget for notebooks, or None
    widget: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """Where a verb was called."""

    workbench: Workbench
    #: the notebook's recorder (``nbship.faces.session.Session``); None in a shell
    session: Any = None
    #: the notebook's names; None in a shell
    namespace: Mapping[str, Any] | None = None
    #: body of a ``%%mlops`` cell; None for lines
    body: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verb:
    """One verb of ``%mlops`` and ``mlops``."""

    name: str
    #: Design, Test, Production or Setup
    stage: str
    #: one line
    help: str
    run: Callable[[Context, argparse.Namespace], Answer]
    add_arguments: Callable[[argparse.ArgumentParser], None] = field(
        default=lambda _parser: None
    )
    #: True for verbs that other programs call, left out of the help
    is_internal: bool = False
