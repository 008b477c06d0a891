"""The verbs of this stage."""

from __future__ import annotations

from nbship.verbs.answer import Verb

VERBS: tuple[Verb, ...] = ()
