"""Whether the lock holds what the notebook imports, and held while it ran."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from nbship.records.environment import normalized_name
from nbship.records.vetting import Finding, Severity
from nbship.vetting.distributions import imported_modules, is_known, is_locked
from nbship.vetting.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nbship.vetting.dossier import Dossier
    from nbship.vetting.sources import CellCode


class EnvironmentIsLocked(Gate):
    """Every import has its locked distribution, and no cell changed what is installed."""

    code = "NB208"
    title = "the environment is not locked"
    severity = Severity.BLOCKER
    fix = "Install it into the kernel's environment, then submit again."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to an empty lock, to one that changed, and to imports outside it."""
        if not dossier.lock.packages:
            yield self.finding("the lock holds no distribution at all")
            return
        found = dossier.outcome.lock_digest
        if found and found != dossier.job.lock_digest:
            yield self.finding(
                "the kernel's environment changed while the job ran: "
                "what was locked is not what was used",
                fix="Install before the job, never in a cell, then submit again.",
            )
        locked = {normalized_name(name) for name in dossier.lock.packages}
        kept = {module.path for module in dossier.job.modules}
        seen: set[str] = set()
        for cell, code in dossier.code:
            for module, line in imported_modules(code.tree) if code.tree else ():
                is_new = module not in seen
                seen.add(module)
                is_held = is_locked(
                    module, locked=locked, providers=dossier.providers
                ) or _is_kept(module, kept)
                if is_new and not is_held:
                    yield self._unlocked(dossier, module, cell.id, line)

    def _unlocked(
        self, dossier: Dossier, module: str, cell_id: str, line: int
    ) -> Finding:
        if module in dossier.local_modules:
            return self.finding(
                f"`{module}` is a file beside the notebook: neither snapshot nor lock holds it",
                severity=Severity.WARNING,
                cell_id=cell_id,
                line=line,
                fix="Make it an installed package, or move it into the notebook.",
            )
        is_certain = is_known(module, dossier.providers) or not dossier.ran_cleanly
        return self.finding(
            f"`{module}` is imported, and no locked distribution is known to provide it",
            severity=None if is_certain else Severity.WARNING,
            cell_id=cell_id,
            line=line,
        )


def _is_kept(module: str, paths: Collection[str]) -> bool:
    """Tell whether a job's own copies hold a module or a package of that name."""
    ends = (f"{module}.py", f"{module}/__init__.py")
    return any(f"/{path}".endswith(f"/{end}") for path in paths for end in ends)


_INSTALL = re.compile(
    r"(?<![\w-])(?P<tool>pip[\d.]*|uv pip|uv|conda|mamba|micromamba|apt|apt-get|poetry)\s+"
    r"(?:-\S+\s+)*(?:install|add)\b(?P<rest>[^;&|\n]*)"
)
_OPTION_WITH_VALUE = frozenset(
    {
        "-i",
        "--index-url",
        "--extra-index-url",
        "-f",
        "--find-links",
        "-c",
        "--constraint",
        "--channel",
        "-n",
        "--name",
        "-p",
        "--prefix",
        "-t",
        "--target",
        "--python",
    }
)
_SHELL_CALLS = frozenset(
    {
        "system",
        "popen",
        "run",
        "call",
        "check_call",
        "check_output",
        "Popen",
        "getoutput",
        "main",
    }
)


class NothingIsInstalled(Gate):
    """Installing in a cell: other packages on every run."""

    code = "NB209"
    title = "a cell installs packages"
    severity = Severity.WARNING
    fix = (
        "Install it into the kernel's environment before the job, and delete the line."
    )

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to each installation; a blocker where its version is left open."""
        for cell, code in dossier.code:
            for text, line in _commands(code):
                for match in _INSTALL.finditer(text):
                    is_pinned = _is_pinned(match["rest"])
                    tool = " ".join(match["tool"].split())
                    yield self.finding(
                        f"the cell installs with {tool}"
                        + ("" if is_pinned else ", without a fixed version"),
                        severity=None if is_pinned else Severity.BLOCKER,
                        cell_id=cell.id,
                        line=line + text[: match.start()].count("\n"),
                    )


def _commands(code: CellCode) -> Iterator[tuple[str, int]]:
    """Yield every shell command of a cell: magics, shell lines, and calls of ``subprocess``."""
    for escape in code.escapes:
        lines = escape.text.replace("\\\n", " \\\n").split("\n")
        kept = ("" if line.lstrip().startswith("#") else line for line in lines)
        yield "\n".join(kept).replace("\\\n", "  "), escape.line
    for node in ast.walk(code.tree) if code.tree else ():
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in _SHELL_CALLS:
                words = [
                    n.value
                    for argument in node.args
                    for n in ast.walk(argument)
                    if isinstance(n, ast.Constant) and isinstance(n.value, str)
                ]
                prefix = "pip " if name == "main" else ""
                yield prefix + " ".join(words), node.lineno


def _is_pinned(rest: str) -> bool:
    """Tell whether each thing to install has one version, is a file or is a list in a file."""
    words = rest.replace('"', "").replace("'", "").split()
    takes_value = False
    for word in words:
        if takes_value:
            takes_value = False
        elif word.startswith("-"):
            takes_value = word in _OPTION_WITH_VALUE or word in {"-r", "--requirement"}
        elif "==" not in word and not re.match(r"[./\\{~]|.*[@=]\S", word):
            return False
    return True
