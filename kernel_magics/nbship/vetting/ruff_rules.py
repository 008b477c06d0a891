"""What is asked of ruff, and how much each of its codes weighs here."""

from __future__ import annotations

from nbship.records.vetting import Severity

#: the selection; never docstrings, annotations, commas or print statements
_SELECTED = (
    "E9 E402 E711 E712 E722 F401 F402 F403 F405 F632 F811 F821 F841 B006 B007 B015 B018 B023 B904 "
    "NPY001 NPY002 NPY003 NPY201 PD002 PD101 DTZ003 DTZ004 DTZ005 DTZ006 DTZ007 "
    "S102 S104 S105 S106 S107 S108 S113 S301 S302 S307 S501 S506 S602 S605 S608 "
    "PLC0208 PLW0642 PLE"
)
SELECTED = tuple(_SELECTED.split())
#: characters that show other code than what runs
BLOCKERS = (
    "PLE2502",
    "PLE2510",
    "PLE2512",
    "PLE2513",
    "PLE2514",
    "PLE2515",
)
#: habits: worth reading, no danger to the answer
NOTES = (
    "E402",
    "E711",
    "E712",
    "E722",
    "F401",
    "F811",
    "F841",
    "B007",
    "B015",
    "B018",
    "B904",
    "NPY002",
    "NPY003",
    "PD002",
    "PD101",
    "S108",
    "PLC0208",
    "PLW0642",
)
_FIXES = {
    "B006": "Use None as the default and make the value inside the function.",
    "B023": "Bind the loop's variable as a default argument.",
    "E402": "Move the imports to the top of their cell.",
    "E722": "Name the exception that you expect.",
    "F401": "Delete the import.",
    "F403": "Import the names that you use, one by one.",
    "F405": "Import the name itself.",
    "F632": "Compare with == instead of `is`.",
    "F811": "Delete one of the two definitions.",
    "F841": "Delete the variable, or use it.",
    "NPY002": "Draw from numpy.random.default_rng(SEED).",
    "S105": "Read the secret from the environment.",
    "S106": "Read the secret from the environment.",
    "S107": "Read the secret from the environment.",
    "S113": "Pass timeout=.",
    "S301": "Read a format that holds data alone: safetensors, npz, Arrow, JSON.",
    "S506": "Use yaml.safe_load.",
    "S602": "Call the program with a list of words, without a shell.",
    "S605": "Call subprocess.run with a list of words.",
    "S608": "Hand the values to the query as parameters.",
}


def weight_of(code: str) -> Severity:
    """Return how much a code of ruff weighs."""
    if code in BLOCKERS:
        return Severity.BLOCKER
    return Severity.NOTE if code in NOTES else Severity.WARNING


def fix_of(code: str, suggested: str) -> str:
    """Return one thing to do: ours, else ruff's own, else where the rule is explained."""
    return (
        _FIXES.get(code)
        or suggested
        or f"See https://docs.astral.sh/ruff/rules/ for {code}."
    )


def is_selected(code: str) -> bool:
    """Tell whether ruff is asked for that code."""
    return code in SELECTED or code.startswith(("E9", "PLE"))
