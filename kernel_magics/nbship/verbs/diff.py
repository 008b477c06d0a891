"""``mlops diff``: what changed between two releases, and the version that it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.verbs.answer import ANSWER_IS_NO, OK, Answer, Verb
from nbship.verbs.words import table

if TYPE_CHECKING:
    import argparse

    from nbship.records.release_diff import ReleaseDiff
    from nbship.verbs.answer import Context


def _diff(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.workflow.release_contents import find_release
    from nbship.workflow.release_diff import diff_releases

    bench = context.workbench
    diff = diff_releases(
        find_release(bench.store, given.old),
        find_release(bench.store, given.new),
        reader=bench.builder,
        replayer=bench.replayer,
    )
    return Answer(
        text=_text(diff),
        html=_html(diff),
        data=diff,
        exit_code=OK if diff.answers.are_same else ANSWER_IS_NO,
    )


def _text(diff: ReleaseDiff) -> str:
    from nbship.release.diff_tables import asked_text, code_text, headline, tables_of

    parts = [headline(diff), f"  {asked_text(diff)}"]
    parts += [f"note: {note}" for note in diff.notes]
    for found in tables_of(diff):
        rows = table([found.heads, *found.rows]).splitlines()
        parts += ["", f"{found.caption}:", *(f"  {row}" for row in rows)]
    code = code_text(diff)
    if code:
        parts += ["", "code:", *(f"  {line}" for line in code.splitlines())]
    entry = diff.changelog_entry.splitlines()
    return "\n".join(
        [*parts, "", "changelog:", *(f"  {line}".rstrip() for line in entry)]
    )


def _html(diff: ReleaseDiff) -> str:
    from nbship.release.diff_tables import asked_text, code_text, headline, tables_of
    from nbship.widgets.explanation import tables_html, text_html

    tables = [(t.caption, t.heads, t.rows) for t in tables_of(diff)]
    return (
        tables_html(headline(diff), tables, notes=(asked_text(diff), *diff.notes))
        + text_html("code", code_text(diff))
        + text_html("changelog", diff.changelog_entry)
    )


def _arguments(parser: argparse.ArgumentParser) -> None:
    about = "NAME/VERSION, NAME for its newest release, or a bundle's folder"
    parser.add_argument("old", metavar="RELEASE_A", help=f"the older one: {about}")
    parser.add_argument("new", metavar="RELEASE_B", help="the newer one, likewise")


DIFF = Verb(
    name="diff",
    stage="Production",
    help="compare two releases: answers, signature, code, speed; suggest a version",
    run=_diff,
    add_arguments=_arguments,
)
