"""The ``mlops`` command."""

from __future__ import annotations

import json
import os
import sys

from nbship.errors import NbshipError, UsageError
from nbship.records.codec import json_text
from nbship.verbs.answer import REFUSED, USAGE, Context
from nbship.verbs.parser import run_words
from nbship.workbench import Workbench


def main(words: list[str] | None = None) -> int:
    """Run one verb and return the exit code: 0, 1, 2 or 3."""
    words = sys.argv[1:] if words is None else words
    try:
        answer, as_json = run_words(words, Context(workbench=Workbench.open()))
        print(
            json_text(answer.data) if as_json else f"{answer.text}\n",
            end="",
            flush=True,
        )
    except NbshipError as error:
        return _refuse(error, as_json="--json" in words)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return answer.exit_code


def _refuse(error: NbshipError, *, as_json: bool) -> int:
    if as_json:
        print(
            json.dumps(
                {
                    "error": type(error).__name__,
                    "message": error.message,
                    "hint": error.hint,
                }
            )
        )
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return USAGE if isinstance(error, UsageError) else REFUSED


if __name__ == "__main__":
    sys.exit(main())
