"""The verbs of this stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbship.verbs.answer import Verb

VERBS: tuple[Verb, ...] = ()
