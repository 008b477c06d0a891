"""Golden cases for calls whose answers are outdated: their inputs, asked again.

Something that a function reads was bound anew after its calls. Their answers say nothing about
what would ship; their inputs are what the notebook saw. The live function, as it now stands,
is asked for the answers.
"""

from __future__ import annotations

import contextlib
import io
import random
import sys
from typing import TYPE_CHECKING, Any

from nbship.release.golden_objects import FILE
from nbship.resources import shipped_module
from nbship.workflow.harmless import harmless
from nbship.workflow.state_capture import changed_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbship.records.state import KeptObject
    from nbship.release.closure import ClosureWalk
    from nbship.release.golden import Case
    from nbship.release.recording import Recorder

#: seconds that the recorded calls took, of all that are asked again
LIMIT_S = 2.0


def ask_again(recorder: Recorder, walk: ClosureWalk) -> str:
    """Ask a function without a case for the answers to its outdated calls.

    Not asked are functions that set or change global values in place, as far as text shows,
    and calls that took longer than there is time. A call that would write a file, start a
    program or use the network ends there, and is no case.

    Parameters
    ----------
    recorder
        Of the root; takes the calls as it takes those of cells.
    walk
        The root's closure.

    Returns
    -------
    str
        A remark; "" where nothing was asked.
    """
    outdated = recorder.outdated()
    if recorder.cases() or not outdated or not _is_harmless(walk):
        return ""
    left_s = LIMIT_S
    with _undisturbed(), harmless():
        for case, duration_s in outdated:
            if duration_s <= left_s:
                left_s -= duration_s
                _ask(recorder, case)
    if not recorder.cases():
        return ""
    names = ", ".join(recorder.bound_anew)
    return (
        f"calls of the notebook were asked again when this was captured: {names} had been "
        "bound anew since"
    )


def _is_harmless(walk: ClosureWalk) -> bool:
    items = list(walk.items.values())
    sets_some = any(item.writes for item in items if item.kind == "function")
    return not sets_some and not (changed_names(items) & walk.wanted)


def _ask(recorder: Recorder, case: Case) -> None:
    objects = recorder.objects()
    with contextlib.suppress(Exception):  # whatever the function says to older inputs
        args = tuple(_argument(item, objects) for item in case["args"])
        named = {k: _argument(item, objects) for k, item in case["kwargs"].items()}
        recorder.call(args, named, case["origin"])


def _argument(recorded: Any, objects: Mapping[str, KeptObject]) -> Any:  # noqa: ANN401
    if not isinstance(recorded, dict) or list(recorded) != [FILE]:
        return shipped_module("_values").decode(recorded)
    kept = objects[recorded[FILE]["file"]]
    value = shipped_module("_state").read(
        kept.codec, kept.encoded.data, trusted_types=kept.encoded.trusted_types
    )
    return value[kept.key] if kept.key else value


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Let nothing be seen of calls: printed text, figures, numbers drawn."""
    np: Any = sys.modules.get("numpy")
    plots: Any = sys.modules.get("matplotlib.pyplot")
    figures = set(plots.get_fignums()) if plots else set()
    drawn = random.getstate()
    drawn_by_numpy = np.random.get_state() if np else None
    unheard = io.StringIO()
    try:
        with contextlib.redirect_stdout(unheard), contextlib.redirect_stderr(unheard):
            yield
    finally:
        random.setstate(drawn)
        if np is not None:
            np.random.set_state(drawn_by_numpy)
        for number in set(plots.get_fignums()) - figures if plots else ():
            plots.close(number)
