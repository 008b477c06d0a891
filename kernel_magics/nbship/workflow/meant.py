"""Which record a person means: ``last``, a whole id, or the beginning of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.errors import JobError, RecordNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from nbship.ports import Store


def meant_id(
    store: Store,
    kind: str,
    name: str,
    *,
    made_at: Callable[[str], datetime],
    hint: str,
) -> str:
    """Return the id of the one record that a name stands for.

    Parameters
    ----------
    store
        Where records lie.
    kind
        Their kind, as ids begin: ``job``.
    name
        ``last``, an id, or the beginning of one, with or without its kind.
    made_at
        Tells when the record of an id was made.
    hint
        What to do where there is none.

    Raises
    ------
    RecordNotFoundError
        If none is meant.
    JobError
        If several are.
    """
    found = meant_ids(store.ids(kind), name, made_at=made_at)
    if len(found) == 1:
        return found[0]
    if found:
        raise JobError(
            f"{name!r} begins {len(found)} {kind}s: {', '.join(found[:5])}",
            hint="Give more of the id.",
        )
    raise RecordNotFoundError(f"{store.folder}: no {kind} {name!r}", hint=hint)


def meant_ids(
    ids: Sequence[str], name: str, *, made_at: Callable[[str], datetime]
) -> tuple[str, ...]:
    """Return the ids that a name may stand for: one where it is clear, else none or several.

    Parameters
    ----------
    ids
        Ids of one kind, oldest first.
    name
        ``last``, an id, or the beginning of one, with or without its kind.
    made_at
        Tells when the record of an id was made.
    """
    if name == "last":
        return newest_id(ids, made_at=made_at)
    if name in ids:
        return (name,)
    return tuple(
        i for i in ids if name and (i.startswith(name) or _bare(i).startswith(name))
    )


def newest_id(
    ids: Sequence[str], *, made_at: Callable[[str], datetime]
) -> tuple[str, ...]:
    """Return the id of the newest record, () where there is none.

    Ids tell the time to the second only; within one second the records are asked.
    """
    rivals = tuple(i for i in ids if is_same_second(i, ids[-1]))
    return rivals if len(rivals) <= 1 else (max(rivals, key=made_at),)


def is_same_second(*ids: str) -> bool:
    """Tell whether ids of one kind were made within one second."""
    return len({record_id.rpartition("-")[0] for record_id in ids}) == 1


def _bare(record_id: str) -> str:
    return record_id.partition("-")[2]
