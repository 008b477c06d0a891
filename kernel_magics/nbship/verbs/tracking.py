"""The verbs of the trackers: ``sync`` and ``ui``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nbship.errors import UsageError
from nbship.verbs.answer import ANSWER_IS_NO, OK, Answer, Verb

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from nbship.verbs.answer import Context
    from nbship.workbench import Workbench
    from nbship.workflow.publishing import Published

_PORT = 5000
_HIGHEST_PORT = 65535
#: while others publish: importing MLflow alone takes seconds
_LOCK_WAIT_S = 300.0
#: states of what a tracker still lacks
_LEFT = frozenset({"failed", "busy"})


def _sync(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.workflow.publishing import all_releases
    from nbship.workflow.recording import find_run
    from nbship.workflow.syncing import Yard, sync

    bench = context.workbench
    releases, run_ids = _parted(bench, given.names)
    if not given.names:
        releases, run_ids = all_releases(bench.store), bench.store.ids("run")
    yard = Yard(
        store=bench.store,
        shipments=bench.shipments,
        lock=lambda run_id, wait_s: bench.shipping_lock(run_id, wait_s=wait_s),
        birth_of=bench.birth_of,
    )
    done = sync(yard, [find_run(bench.store, run) for run in run_ids])
    counts = Counter((item.tracker, item.state) for item in done)
    lines = [
        f"{tracker}: {count} {state}"
        for (tracker, state), count in sorted(counts.items())
    ]
    lines += [
        f"{item.run_id} at {item.tracker}: {item.error}" for item in done if item.error
    ]
    published = _published(bench, releases) if releases else []
    lines += [_release_line(item) for item in published]
    states = {item.state for item in done} | {item.state for item in published}
    return Answer(
        text="\n".join(lines) or "no runs yet",
        data=[*done, *published],
        exit_code=ANSWER_IS_NO if states & _LEFT else OK,
    )


def _parted(
    bench: Workbench, names: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell releases, which have a slash in their names, from runs.

    Raises
    ------
    UsageError
        If there is no such release.
    """
    from nbship.workflow.publishing import all_releases

    releases = tuple(name for name in names if "/" in name)
    known = all_releases(bench.store) if releases else ()
    for release in releases:
        if release not in known:
            raise UsageError(
                f"mlops sync {release}: no such release",
                hint=f"There are {', '.join(known) or 'none'}.",
            )
    return releases, tuple(name for name in names if "/" not in name)


def _published(bench: Workbench, releases: Sequence[str]) -> list[Published]:
    from nbship.workflow.publishing import Published, publish

    with bench.publishing_lock(wait_s=_LOCK_WAIT_S) as is_held:
        if is_held:
            return list(publish(bench.quay, releases))
    return [
        Published(release=release, tracker=tracker, state="busy")
        for release in releases
        for tracker in bench.settings.trackers
    ]


def _release_line(item: Published) -> str:
    told = item.error or item.reference
    head = f"{item.release} at {item.tracker}: {item.state}"
    return f"{head}: {told}" if told else head


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
    parser.add_argument(
        "names",
        nargs="*",
        metavar="RUN|RELEASE",
        help="runs, or releases as NAME/VERSION; else all of the store",
    )


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
