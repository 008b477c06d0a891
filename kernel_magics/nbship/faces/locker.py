"""The locker: a process beside the jobs that makes the lock of an environment, once.

It starts behind the first job of an environment, gives way to everything else, and ends by
itself; where another one makes the same lock, at once.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from nbship.errors import NbshipError
from nbship.workbench import Workbench
from nbship.workflow.environments import keep_locks

_NICENESS = 15


def main(words: list[str] | None = None) -> int:
    """Lock the environment of one job."""
    parser = argparse.ArgumentParser(prog="python -m nbship.faces.locker")
    parser.add_argument("store", type=Path)
    parser.add_argument("job")
    parser.add_argument("--project", type=Path)
    given = parser.parse_args(words)
    os.nice(_NICENESS)
    bench = Workbench.over(given.store, project=given.project)
    try:
        keep_locks(bench.environment_tools, given.job)
    except NbshipError as error:
        bench.store.save(
            {"message": error.message},
            bench.store.job_folder(given.job) / "lock-refusal.json",
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
