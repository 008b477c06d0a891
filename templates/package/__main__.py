"""``python -m PACKAGE verify|serve|predict|info``: everything this package can do by itself."""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import sys
from typing import Any

from . import _about, _device, _pickles, _values
from .batch import _batch, _files
from .parity import _replay

#: exit code where the answer is no
NO = 1
#: exit code where the input was not understood
WRONG_INPUT = 2
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def main(words: list[str] | None = None) -> int:
    """Run one command and return the exit code: 0, 1 (the answer is no) or 2 (wrong input)."""
    arguments = _parser().parse_args(words)
    if arguments.command != "info" and (mismatch := _about.wrong_python()):
        sys.stderr.write(f"{mismatch}\n")
        return NO
    if getattr(arguments, "device", None):
        _device.use_device(arguments.device)
    return _COMMANDS[arguments.command](arguments)


def predict(arguments: argparse.Namespace) -> int:
    """Answer a file of inputs."""
    is_shown = arguments.progress or (arguments.output and sys.stderr.isatty())
    progress = _files.Progress(is_shown=bool(is_shown))
    writer = _files.Writer(arguments.output)
    is_whole = False
    try:
        kind, chunks = _files.chunks_of(
            arguments.input, arguments.format, arguments.chunk_rows
        )
        for answers in _batch.answers_of(
            chunks,
            kind=kind,
            remark=lambda text: sys.stderr.write(f"{arguments.input}: {text}\n"),
        ):
            writer.write(answers)
            progress.add(len(answers))
        is_whole = True
    except (
        OSError,
        UnicodeDecodeError,
        _batch.InputError,
        _values.UnsupportedValueError,
    ) as error:
        sys.stderr.write(f"{arguments.input}: {error}\n")
        return WRONG_INPUT
    finally:
        progress.finish()
        writer.finish(is_whole=is_whole)
    return 0


def serve(arguments: argparse.Namespace) -> int:
    """Answer over HTTP until the process is told to end."""
    # one thread a worker: sums keep the order of the golden cases, and forks are safe
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    try:
        from .serving import _limits, _serve
    except ImportError as error:
        distribution = _about.origin()["name"]
        sys.stderr.write(
            f"{error.name} is missing: python -m pip install '{distribution}[serve]'\n"
        )
        return WRONG_INPUT
    options = _serve.Options(
        host=arguments.host,
        port=arguments.port,
        workers=arguments.workers,
        logs_all=arguments.log == "all",
        only_author=arguments.only_author,
        limits=_limits.Limits(
            max_body_mib=arguments.max_body_mib,
            timeout_s=arguments.timeout_s,
            max_batch_rows=arguments.max_batch_rows,
            max_waiting_rows=arguments.max_waiting_rows,
            max_connections=arguments.max_connections,
            drain_s=arguments.drain_s,
        ),
    )
    try:
        return _serve.serve(options)
    except _serve.ServeError as error:
        sys.stderr.write(f"{__package__}: {error}\n")
        return NO


def verify(arguments: argparse.Namespace) -> int:
    """Replay the golden cases; look for changed files, and for pickles by what files hold."""
    placeholders = _replay.set_placeholders(is_reversed=arguments.reverse)
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
            "placeholders": placeholders,
        }
        sys.stdout.write(json.dumps(report) + "\n")
        return 0 if passed else NO
    for line in (*changed, *result.differences, *_watched_text(result.watched)):
        sys.stdout.write(line + "\n")
    if placeholders:
        sys.stdout.write(f"placeholders: {', '.join(placeholders)}\n")
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
        **{key: v for key, v in _about.origin().items() if key != "serving"},
        "python": captured["python_version"],
        "requirements": sorted(set(captured["requirements"].values())),
        "signature": captured["signature"],
        "golden_cases": captured["golden_cases"],
        "golden_rows": captured["golden_rows"],
        "serving": _serving(),
        "serving_at_export": _about.decided(),
        "digests": {
            "model.py": captured["module_digest"],
            "golden.jsonl": captured["golden_digest"],
            **{f"state/{item['file']}": item["digest"] for item in captured["state"]},
            **{
                f"golden/{item['file']}": item["digest"]
                for item in captured.get("golden_files", ())
            },
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


def _serving() -> dict[str, Any]:
    """Say how this package answers, and why so; the model is loaded for it."""
    try:
        from .answering import _contract, _paths

        function = _about.predict_function()
        return _paths.choose(function, _contract.contract_of(function)).facts()
    except Exception as error:  # noqa: BLE001  # the author's module may raise anything
        return {"answers": f"not known: {type(error).__name__}: {error}"}


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=_about.version())
    commands = parser.add_subparsers(dest="command", required=True)
    _add_predict(commands.add_parser("predict", help="answer a file of inputs"))
    _add_serve(commands.add_parser("serve", help="answer over HTTP"))
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


def _add_predict(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "input", metavar="INPUT", help="a file, or - for standard input"
    )
    command.add_argument(
        "--output", metavar="FILE", help="a .csv, .parquet or JSON lines file"
    )
    command.add_argument(
        "--format", choices=("csv", "jsonl", "parquet"), help="of INPUT"
    )
    command.add_argument(
        "--chunk-rows",
        type=_positive,
        default=5000,
        help="rows that are in memory at a time (%(default)s)",
    )
    command.add_argument("--device", help="such as cuda:0, for tensors of PyTorch")
    command.add_argument(
        "--progress", action="store_true", help="tell how far it is on standard error"
    )


def _add_serve(command: argparse.ArgumentParser) -> None:
    _add_limits(command)
    command.add_argument("--host", default="127.0.0.1", help="(%(default)s)")
    command.add_argument("--port", type=int, default=8080, help="(%(default)s)")
    command.add_argument(
        "--workers", type=_positive, default=1, metavar="N", help="(%(default)s)"
    )
    command.add_argument(
        "--log",
        choices=("all", "errors"),
        default="all",
        help="requests that have a line in the log (%(default)s)",
    )
    command.add_argument("--device", help="such as cuda:0, for tensors of PyTorch")
    command.add_argument(
        "--only-author",
        action="store_true",
        help="use no compiled routine, even where it was proven equal",
    )


def _add_limits(command: argparse.ArgumentParser) -> None:
    add = functools.partial(command.add_argument, metavar="N")
    add("--max-body-mib", type=float, default=16, help="of a request (%(default)s)")
    add("--timeout-s", type=float, default=30, help="of a request (%(default)s)")
    add(
        "--max-batch-rows",
        type=_positive,
        default=256,
        help="rows of several requests in one call; 1: never (%(default)s)",
    )
    add(
        "--max-waiting-rows",
        type=_positive,
        default=50_000,
        help="more are answered with 503 (%(default)s)",
    )
    add(
        "--max-connections",
        type=_positive,
        default=1000,
        help="of a worker; more are answered with 503 (%(default)s)",
    )
    add(
        "--drain-s",
        type=float,
        default=0,
        help="go on after SIGTERM while readiness says no (%(default)s)",
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} where 1 or more was expected")
    return number


_COMMANDS = {"predict": predict, "serve": serve, "verify": verify, "info": info}

if __name__ == "__main__":
    sys.exit(main())
