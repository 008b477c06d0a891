"""What a job asks for, and how it is queued, as words of a verb; and the request they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from pathlib import Path

    from nbship.records.job import Resources
    from nbship.settings import Settings
    from nbship.workbench import Workbench
    from nbship.workflow.submission import Request

#: fields of a job's resources, each an option of ``submit`` and a setting
_RESOURCES = ("gpus", "gpu_memory_gib", "cpus", "memory_gib", "timeout_s")


def add_resources(parser: argparse.ArgumentParser) -> None:
    """Take what a job asks for; :func:`resources_of` reads it."""
    parser.add_argument(
        "--gpus", type=int, metavar="N", help="GPUs that the job is given"
    )
    parser.add_argument(
        "--gpu-memory-gib",
        type=float,
        metavar="GIB",
        help="memory that each of its GPUs has at least",
    )
    parser.add_argument(
        "--cpus",
        type=int,
        metavar="N",
        help="processors that the job counts for, and threads of its libraries",
    )
    parser.add_argument(
        "--memory-gib",
        type=float,
        metavar="GIB",
        help="memory that its kernel may use; 0 is no limit",
    )
    parser.add_argument(
        "--timeout-s", type=float, metavar="S", help="seconds that all cells may take"
    )


def request_of(
    workbench: Workbench,
    notebook: Path,
    *,
    texts: Mapping[str, str],
    given: argparse.Namespace | None = None,
) -> Request:
    """Ask for a job: what the command says, else what the settings do.

    Parameters
    ----------
    workbench
        Reads the notebook, and has the settings.
    notebook
        Its path.
    texts
        Values by parameter, as they were typed.
    given
        Words of the verb; None where there are none.
    """
    from nbship.workflow.submission import Request

    settings = workbench.settings
    data, snapshot = workbench.notebook(notebook)
    return Request(
        notebook=notebook,
        data=data,
        snapshot=snapshot,
        texts=texts,
        project=settings.project,
        kernel=getattr(given, "kernel", None) or settings.kernel,
        experiment=settings.experiment,
        roots=settings.roots,
        resources=resources_of(given, settings),
        is_again=getattr(given, "again", False),
        is_fresh=getattr(given, "fresh", False),
        is_direct=getattr(given, "direct", False),
    )


def resources_of(given: argparse.Namespace | None, settings: Settings) -> Resources:
    """Take what the command asks for, where it can, else what the settings do."""
    from nbship.records.job import Resources

    asked = {
        name: getattr(settings, name) if value is None else value
        for name in _RESOURCES
        for value in (getattr(given, name, None),)
    }
    return Resources(**asked)


def add_queueing(parser: argparse.ArgumentParser) -> None:
    """Take how a job is queued."""
    parser.add_argument(
        "--attempts",
        type=int,
        metavar="N",
        help="attempts before a failure of the notebook's own stands",
    )
    parser.add_argument(
        "--priority", type=int, default=0, metavar="N", help="higher ones begin first"
    )
    parser.add_argument(
        "--detach", action="store_true", help="queue it and return at once"
    )
