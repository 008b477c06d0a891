"""The verbs of Design: record a run, look at runs, bring them to the trackers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.errors import RunError, UsageError
from nbship.verbs.answer import Answer, Verb
from nbship.verbs.expressions import assignments, evaluated
from nbship.verbs.runs import RUN_VERBS
from nbship.verbs.tracking import TRACKING_VERBS

if TYPE_CHECKING:
    import argparse

    from nbship.verbs.answer import Context


def _session(context: Context, verb: str) -> Any:  # noqa: ANN401  # faces are above verbs
    if context.session is None:
        raise RunError(
            f"mlops {verb}: a shell has no run to record",
            hint=f"Call `%mlops {verb}` in the notebook, after `%load_ext nbship`.",
        )
    return context.session


def _start(context: Context, given: argparse.Namespace) -> Answer:
    session = _session(context, "start")
    notice = session.start(given.name or "")
    run_id = session.active.run_id
    return Answer(text=notice, data={"run": run_id, "experiment": session.experiment})


def _log(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.capture.numbers import numbers_of

    session = _session(context, "log")
    texts = assignments(given.metrics, verb="log")
    metrics = numbers_of(evaluated(texts, context.namespace), direction=given.direction)
    step = _step(given.step, context)
    session.log(metrics, step=step, unit=given.unit, direction=given.direction)
    said = ", ".join(f"{name}={value:g}" for name, value in metrics.items())
    place = "" if step is None else f" at step {step}"
    return Answer(text=f"logged {said}{place}", data=metrics)


def _step(text: str | None, context: Context) -> int | None:
    """Read the step: a whole number, or an expression with the notebook's names.

    Raises
    ------
    UsageError
        If it is something else.
    """
    if text is None:
        return None
    value = evaluated({"--step": text}, context.namespace)["--step"]
    try:
        step = int(value)
    except (TypeError, ValueError, OverflowError):
        step = None
    if step is None or step != value:
        raise UsageError(
            f"mlops log: --step {text} is {value!r}, a whole number was expected",
            hint="Count steps by whole numbers, such as the epoch.",
        )
    return step


def _tag(context: Context, given: argparse.Namespace) -> Answer:
    session = _session(context, "tag")
    tags = assignments(given.tags, verb="tag")
    recorder = session.active
    for name, value in tags.items():
        recorder.tag(name, value)
    session.refresh()
    said = ", ".join(f"{name}={value}" for name, value in tags.items())
    return Answer(text=f"tagged {said}", data=tags)


def _note(context: Context, given: argparse.Namespace) -> Answer:
    session = _session(context, "note")
    text = (context.body or "").strip() or " ".join(given.text)
    if not text:
        raise UsageError(
            "mlops note: no text",
            hint="Write it behind `note`, or below `%%mlops note`.",
        )
    session.active.note(text)
    session.refresh()
    return Answer(text="noted", data={"note": text})


def _stop(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.records.run import RunStatus

    session = _session(context, "stop")
    if given.cause and not given.failed:
        raise UsageError(
            "mlops stop: --cause without --failed",
            hint="Add --failed, or leave it out.",
        )
    status = RunStatus.FAILED if given.failed else RunStatus.SUCCEEDED
    run_id = session.active.run_id
    text = session.stop(status, given.cause)
    return Answer(text=text, data={"run": run_id, "status": status.value})


def _add_start(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name",
        nargs="?",
        help="experiment; else the setting `experiment`, else the notebook's name",
    )


def _add_log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "metrics",
        nargs="+",
        metavar="name=value",
        help="a metric; in a notebook the value is any expression",
    )
    parser.add_argument(
        "--step", help="position in the series; in a notebook any expression"
    )
    parser.add_argument("--unit", default="", help="unit of these metrics, such as ms")
    parser.add_argument(
        "--direction", default="", help="which way is better: maximize or minimize"
    )


def _add_tag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tags", nargs="+", metavar="name=value", help="a tag")


def _add_note(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "text", nargs="*", help="the note; or the body of `%%%%mlops note`"
    )


def _add_stop(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--failed", action="store_true", help="the run failed")
    parser.add_argument("--cause", default="", metavar="TEXT", help="why it failed")


VERBS: tuple[Verb, ...] = (
    Verb(
        name="start",
        stage="Design",
        help="start recording a run of an experiment",
        run=_start,
        add_arguments=_add_start,
    ),
    Verb(
        name="log",
        stage="Design",
        help="record metrics: loss=0.3 acc=model.score(X, y)",
        run=_log,
        add_arguments=_add_log,
    ),
    Verb(
        name="tag",
        stage="Design",
        help="tag the run: data=v2",
        run=_tag,
        add_arguments=_add_tag,
    ),
    Verb(
        name="note",
        stage="Design",
        help="write a note into the run",
        run=_note,
        add_arguments=_add_note,
    ),
    Verb(
        name="stop",
        stage="Design",
        help="end the run",
        run=_stop,
        add_arguments=_add_stop,
    ),
    *RUN_VERBS,
    *TRACKING_VERBS,
)
