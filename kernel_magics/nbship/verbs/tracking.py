"""The verbs of the trackers: ``sync`` and ``ui``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nbship.errors import UsageError
from nbship.verbs.answer import ANSWER_IS_NO, OK, Answer, Verb

if TYPE_CHECKING:
    import argparse

    from nbship.verbs.answer import Context

_PORT = 5000
_HIGHEST_PORT = 65535


def _sync(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.workflow.recording import find_run
    from nbship.workflow.syncing import Yard, sync

    bench = context.workbench
    run_ids = [find_run(bench.store, run) for run in given.runs]
    yard = Yard(
        store=bench.store,
        shipments=bench.shipments,
        lock=lambda run_id, wait_s: bench.shipping_lock(run_id, wait_s=wait_s),
        birth_of=bench.birth_of,
    )
    done = sync(yard, run_ids or bench.store.ids("run"))
    counts = Counter((item.tracker, item.state) for item in done)
    lines = [
        f"{tracker}: {count} {state}"
        for (tracker, state), count in sorted(counts.items())
    ]
    lines += [
        f"{item.run_id} at {item.tracker}: {item.error}" for item in done if item.error
    ]
    has_failed = any(item.state in {"failed", "busy"} for item in done)
    return Answer(
        text="\n".join(lines) or "no runs yet",
        data=list(done),
        exit_code=ANSWER_IS_NO if has_failed else OK,
    )


def _ui(context: Context, given: argparse.Namespace) -> Answer:
    if context.session is not None:
        raise UsageError(
            "%mlops ui: the server would hold the notebook until it ends",
            hint="Run `mlops ui` in a terminal.",
        )
    if not 0 < given.port <= _HIGHEST_PORT:
        raise UsageError(
            f"mlops ui: port {given.port}, 1 to {_HIGHEST_PORT} was expected",
            hint="Give another --port.",
        )
    return Answer(text=context.workbench.serve_mlflow(given.port))


def _add_sync(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="*", help="ids; else every run of the store")


def _add_ui(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=int, default=_PORT, help=f"port on 127.0.0.1 ({_PORT})"
    )


TRACKING_VERBS = (
    Verb(
        name="sync",
        stage="Design",
        help="bring to the trackers what they lack",
        run=_sync,
        add_arguments=_add_sync,
    ),
    Verb(
        name="ui",
        stage="Design",
        help="open the runs in MLflow's own pages, until Ctrl-C",
        run=_ui,
        add_arguments=_add_ui,
    ),
)
