"""The shipper of releases: a process behind ``mlops release`` that shows them at the trackers.

``python -m nbship.faces.release_shipper STORE``. One at a time serves a store. It ends when each
tracker has every release or refused it several times; ``mlops sync`` brings what is left.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from nbship.errors import NbshipError
from nbship.workbench import Workbench
from nbship.workflow.publishing import all_releases, publish

_PAUSE_S = 1.0
#: tries of each tracker, with pauses of 7 s in all
_ATTEMPTS = 4
_NICENESS = 5
#: another shipper is at work: it may have listed the releases before ours was there
_LOCK_WAIT_S = 600.0


def main(words: list[str] | None = None) -> int:
    """Publish what the trackers lack; 1 where something is left."""
    parser = argparse.ArgumentParser(prog="python -m nbship.faces.release_shipper")
    parser.add_argument("store", type=Path)
    parser.add_argument("--project", type=Path)
    given = parser.parse_args(words)
    os.nice(_NICENESS)
    bench = Workbench.over(given.store, project=given.project)
    with bench.publishing_lock(wait_s=_LOCK_WAIT_S) as is_held:
        return _work(bench) if is_held else 1


def _work(bench: Workbench) -> int:
    left = list(all_releases(bench.store))
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_S * 2.0 ** (attempt - 1))
        try:
            failed = [p for p in publish(bench.quay, left) if p.state == "failed"]
        except NbshipError as error:
            _say(str(error))
            return 1
        for item in failed:
            _say(f"{item.release} at {item.tracker}: {item.error}")
        left = list(dict.fromkeys(item.release for item in failed))
        if not left:
            return 0
    return 1


def _say(text: str) -> None:
    print(f"nbship release shipper: {text}", file=sys.stderr, flush=True)  # noqa: T201  # its log


if __name__ == "__main__":
    sys.exit(main())
