"""``python -m PACKAGE predict|verify|info``: everything this package can show by itself."""

from __future__ import annotations

import argparse
import io
import json
import platform
import sys
from pathlib import Path
from typing import Any

from . import _about, _batch, _device, _pickles, _replay

#: exit code where the answer is no
NO = 1
#: exit code where the input was not understood
WRONG_INPUT = 2


def main(words: list[str] | None = None) -> int:
    """Run one command and return the exit code: 0, 1 (the answer is no) or 2 (wrong input)."""
    arguments = _parser().parse_args(words)
    if getattr(arguments, "device", None):
        _device.use_device(arguments.device)
    command = {"predict": predict, "verify": verify, "info": info}[arguments.command]
    return command(arguments)


def predict(arguments: argparse.Namespace) -> int:
    """Answer a file of inputs."""
    is_csv = arguments.format == "csv" or (
        arguments.format is None and arguments.input.endswith(".csv")
    )
    try:
        if arguments.input == "-":
            text = sys.stdin.read()
            is_csv = is_csv or (arguments.format is None and _batch.looks_as_csv(text))
            lines, remarks = _batch.answer_file(io.StringIO(text), is_csv=is_csv)
        else:
            with Path(arguments.input).open(encoding="utf-8", newline="") as source:
                lines, remarks = _batch.answer_file(source, is_csv=is_csv)
    except (OSError, UnicodeDecodeError, _batch.InputError) as error:
        sys.stderr.write(f"{arguments.input}: {error}\n")
        return WRONG_INPUT
    for remark in remarks:
        sys.stderr.write(f"{arguments.input}: {remark}\n")
    if arguments.output is None:
        _write_lines(lines, sys.stdout)
        return 0
    with Path(arguments.output).open("w", encoding="utf-8", newline="") as target:
        (_batch.write_csv if arguments.output.endswith(".csv") else _write_lines)(
            lines, target
        )
    return 0


def verify(arguments: argparse.Namespace) -> int:
    """Replay the golden cases; look for changed files, and for pickles by what files hold."""
    if arguments.trace:
        sys.stdout.write(json.dumps(_replay.trace_case(arguments.trace)) + "\n")
        return 0
    changed = [*_about.changed_files(), *_pickles.pickles_below(_about.FOLDER)]
    result = (
        _replay.watched_replay()
        if arguments.watch
        else _replay.replay(is_reversed=arguments.reverse)
    )
    passed = not changed and not result.differences and result.cases > 0
    if arguments.json:
        report = {
            "package": __package__,
            "version": _about.version(),
            "python": platform.python_version(),
            "passed": passed,
            "cases": result.cases,
            "rows": _about.capture()["golden_rows"],
            "changed": changed,
            "differences": result.differences,
            "answers": result.answers,
            "watched": result.watched,
            "tolerances": _replay.declared_tolerances(),
        }
        sys.stdout.write(json.dumps(report) + "\n")
        return 0 if passed else NO
    for line in (*changed, *result.differences, *_watched_text(result.watched)):
        sys.stdout.write(line + "\n")
    if not result.cases:
        sys.stdout.write("no golden case\n")
    sys.stdout.write(
        f"{result.cases} case{'s' if result.cases > 1 else ''} equal\n"
        if passed
        else f"{__package__} {_about.version()}: not what was exported\n"
    )
    return 0 if passed else NO


def _watched_text(watched: dict[str, Any]) -> list[str]:
    if not watched:
        return []
    lines = ["{executed} of {lines} lines ran".format(**watched["coverage"])]
    for found in watched["accesses"]:
        place = "{file}:{line}".format(**found["place"])
        lines.append(f"{found['kind']} {found['mode']} {found['target']} ({place})")
    names = ", ".join(change["name"] for change in watched["changed_state"])
    return [*lines, f"changed by the calls: {names}"] if names else lines


def info(arguments: argparse.Namespace) -> int:
    """Show name, version, signature, origin and digests."""
    captured = _about.capture()
    facts = {
        **_about.origin(),
        "python": captured["python_version"],
        "requirements": sorted(set(captured["requirements"].values())),
        "signature": captured["signature"],
        "golden_cases": captured["golden_cases"],
        "golden_rows": captured["golden_rows"],
        "digests": {
            "model.py": captured["module_digest"],
            "golden.jsonl": captured["golden_digest"],
            **{f"state/{item['file']}": item["digest"] for item in captured["state"]},
        },
    }
    if arguments.json:
        sys.stdout.write(json.dumps(facts) + "\n")
        return 0
    for name, value in facts.items():
        if name == "signature":
            sys.stdout.write(_signature_text(value))
        elif isinstance(value, dict):
            sys.stdout.write(f"{name}:\n")
            sys.stdout.writelines(f"  {key}: {item}\n" for key, item in value.items())
        else:
            text = ", ".join(value) if isinstance(value, list) else value
            sys.stdout.write(f"{name}: {text}\n")
    return 0


def _signature_text(signature: dict[str, Any]) -> str:
    lines = [f"takes: {signature['input_form']}"]
    for side in ("inputs", "outputs"):
        lines.append(f"{side}:")
        lines += [f"  {_column_text(column)}" for column in signature[side]]
    return "\n".join(lines) + "\n"


def _column_text(column: dict[str, Any]) -> str:
    text = f"{column['name']}: {column['dtype']}"
    if column.get("shape"):
        text += f" of shape {tuple(column['shape'])}"
    if column.get("categories"):
        text += f", one of {', '.join(map(repr, column['categories'][:10]))}"
    return text + (", may be missing" if column.get("is_nullable") else "")


def _write_lines(lines: list[Any], target: Any) -> None:
    target.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=_about.version())
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("predict", help="answer JSON lines or CSV")
    command.add_argument(
        "input", metavar="INPUT", help="a file, or - for standard input"
    )
    command.add_argument("--output", metavar="FILE", help="a .csv or JSON lines file")
    command.add_argument("--format", choices=("csv", "jsonl"), help="of INPUT")
    command.add_argument("--device", help="such as cuda:0, for tensors of PyTorch")
    for name, help_ in (
        ("verify", "replay the golden cases"),
        ("info", "show what this is and where it comes from"),
    ):
        command = commands.add_parser(name, help=help_)
        command.add_argument("--json", action="store_true", help="answer as JSON")
    command = commands.choices["verify"]
    command.add_argument(
        "--watch", action="store_true", help="tell also what ran and what was touched"
    )
    command.add_argument("--reverse", action="store_true", help="the last case first")
    command.add_argument(
        "--trace", metavar="CASE", help="write what each line of one case leaves behind"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
