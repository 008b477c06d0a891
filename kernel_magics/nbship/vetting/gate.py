"""What a gate is: one question that a candidate must pass, with a code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from nbship.records.vetting import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbship.vetting.dossier import Dossier


class Gate(ABC):
    """One question; subclass it, name it, and answer in :meth:`ask`.

    Gates keep nothing between two questions and read nothing but the dossier.
    """

    #: stable, ``NB`` and three digits for nbship's own; plug-ins choose another prefix
    code: ClassVar[str]
    #: what is wrong where the gate objects, in a few words
    title: ClassVar[str]
    #: what a finding weighs where the gate does not say otherwise
    severity: ClassVar[Severity] = Severity.WARNING
    #: one thing to do, imperative
    fix: ClassVar[str] = ""
    #: further codes that its findings may carry
    more_codes: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def ask(self, dossier: Dossier) -> Iterable[Finding]:
        """Return every objection.

        Parameters
        ----------
        dossier
            The job under vetting.
        """

    def finding(  # noqa: PLR0913  # each has a default, all by name
        self,
        message: str,
        *,
        severity: Severity | None = None,
        cell_id: str | None = None,
        line: int | None = None,
        fix: str | None = None,
        code: str | None = None,
    ) -> Finding:
        """Make one finding of this gate."""
        return Finding(
            code=code or self.code,
            severity=severity or self.severity,
            message=message,
            fix=self.fix if fix is None else fix,
            cell_id=cell_id,
            line=line,
        )
