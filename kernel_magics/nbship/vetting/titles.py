"""What each code of a verdict is about, for lists and for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.vetting.waivers import EXPIRED_CODE, UNUSED_CODE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.vetting.gate import Gate

#: findings about the policy itself
_OWN = {
    EXPIRED_CODE: "a waiver has expired",
    UNUSED_CODE: "a waiver covers nothing",
}


def titles_of(gates: Sequence[Gate]) -> Mapping[str, str]:
    """Map each gate's code to what is wrong where it objects."""
    return {**_OWN, **{gate.code: gate.title for gate in gates}}
