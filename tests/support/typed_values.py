"""Values over the whole grammar of parameter types, from a seed; the encoder is not asked."""

from __future__ import annotations

import datetime as dt
import enum
import math
import string
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

#: what the parameters cell declares above its parameters
PRELUDE = """
import datetime as dt
import enum
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal, Optional, Union
import annotated_types as at
import numpy as np
from pydantic import Field

class Color(enum.Enum):
    RED = "red"
    GREEN = 2
    BLUE = (1, 2)

class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2

class Mode(enum.StrEnum):
    FAST = enum.auto()
    SLOW = "slow motion"

Layers = list[int]
Rate = Annotated[float, at.Gt(0), at.Le(1), "learning rate", "unit: 1/s"]
"""


class Color(enum.Enum):
    RED = "red"
    GREEN = 2
    BLUE = (1, 2)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mode(enum.StrEnum):
    FAST = enum.auto()
    SLOW = "slow motion"


ENUMS = {"Color": Color, "Level": Level, "Mode": Mode}
_SIGNS = string.printable + "äß€😀\u2028\u00a0\u200b\x00\x1b\x85" + "\\'\"\n\r\t{}#%$="
_TRICKS = (
    "", " ", "None", "nan", "1", "'", '"', "'''", '"""', "\\", "\\n", "a\nb", "\r\n", "{x}",
    "$date", "# Parameters", "x = 1", "%magic", "!ls", "[", "\\N{BULLET}", "\\x00", "0x10",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """An annotation and the maker of its values."""

    annotation: str
    make: Callable[[], Any]
    is_hashable: bool = True
    #: writes a value as ``-p`` takes it; None where texts are not tried
    text: Callable[[Any], str] | None = None


class Grammar:
    """Types and values drawn from one random generator."""

    def __init__(self, source: random.Random) -> None:
        self._r = source
        s = self._scalar_table()
        self._scalars = s

    def kind(self, depth: int = 3) -> Kind:
        """Draw a type."""
        if depth == 0 or self._r.random() < 0.45:
            return self._r.choice(self._scalars)
        return self._r.choice(
            [
                self._list, self._tuple, self._pair, self._set, self._dict, self._optional,
                self._union, self._bounded_list, self._any,
            ]
        )(depth - 1)  # fmt: skip

    def _hashable(self, depth: int) -> Kind:
        while True:
            kind = self.kind(min(depth, 1))
            if kind.is_hashable:
                return kind

    def _many(self, kind: Kind, most: int = 3) -> list[Any]:
        return [kind.make() for _ in range(self._r.randint(0, most))]

    def _list(self, depth: int) -> Kind:
        item = self.kind(depth)
        return Kind(
            f"list[{item.annotation}]", lambda: self._many(item), is_hashable=False
        )

    def _bounded_list(self, depth: int) -> Kind:
        item = self.kind(depth)
        note = f"Annotated[list[{item.annotation}], at.Len(1, 4)]"
        return Kind(note, lambda: [item.make(), *self._many(item)], is_hashable=False)

    def _tuple(self, depth: int) -> Kind:
        item = self.kind(depth)
        note = f"tuple[{item.annotation}, ...]"
        return Kind(note, lambda: tuple(self._many(item)), is_hashable=item.is_hashable)

    def _pair(self, depth: int) -> Kind:
        items = [self.kind(depth) for _ in range(self._r.randint(1, 3))]
        note = f"tuple[{', '.join(i.annotation for i in items)}]"
        return Kind(
            note,
            lambda: tuple(i.make() for i in items),
            is_hashable=all(i.is_hashable for i in items),
        )

    def _set(self, depth: int) -> Kind:
        item = self._hashable(depth)
        if self._r.random() < 0.5:
            return Kind(
                f"set[{item.annotation}]",
                lambda: set(self._many(item)),
                is_hashable=False,
            )
        return Kind(
            f"frozenset[{item.annotation}]", lambda: frozenset(self._many(item))
        )

    def _dict(self, depth: int) -> Kind:
        key, item = self._hashable(depth), self.kind(depth)
        return Kind(
            f"dict[{key.annotation}, {item.annotation}]",
            lambda: {k: item.make() for k in self._many(key)},
            is_hashable=False,
        )

    def _optional(self, depth: int) -> Kind:
        item = self.kind(depth)
        note = self._r.choice(
            [f"Optional[{item.annotation}]", f"Union[None, {item.annotation}]"]
        )
        return Kind(
            note,
            lambda: None if self._r.random() < 0.3 else item.make(),
            is_hashable=item.is_hashable,
        )

    def _union(self, depth: int) -> Kind:
        items = [self.kind(depth) for _ in range(self._r.randint(2, 3))]
        return Kind(
            f"Union[{', '.join(i.annotation for i in items)}]",
            lambda: self._r.choice(items).make(),
            is_hashable=all(i.is_hashable for i in items),
        )

    def _any(self, depth: int) -> Kind:
        def make() -> Any:
            kind = self.kind(depth)
            return kind.make()

        return Kind("Any", make, is_hashable=False)

    def _scalar_table(self) -> list[Kind]:
        r = self._r
        return [
            Kind("int", self.int, text=str),
            Kind("float", self.float, text=repr),
            Kind("complex", lambda: complex(self.float(), self.float()), text=repr_bare),
            Kind("bool", lambda: r.random() < 0.5, text=str),
            Kind("str", self.str, text=str),
            Kind("bytes", lambda: r.randbytes(r.randint(0, 6)), text=repr),
            Kind("None", lambda: None, text=str),
            Kind("Literal['a', \"b'\", 3, True, b'x', None]", lambda: r.choice(["a", "b'", 3, True, b"x", None])),
            Kind("Color", lambda: r.choice(list(Color)), text=lambda v: v.name),
            Kind("Level", lambda: r.choice(list(Level)), text=str),
            Kind("Mode", lambda: r.choice(list(Mode)), text=str),
            Kind("Literal[Color.RED, Mode.SLOW]", lambda: r.choice([Color.RED, Mode.SLOW])),
            Kind("date", self.date, text=str),
            Kind("dt.date", self.date, text=str),
            Kind("dt.datetime", self.datetime, text=naive_text),
            Kind("time", self.time),
            Kind("timedelta", self.timedelta, text=str),
            Kind("Path", lambda: Path(self.path()), text=str),
            Kind("PurePosixPath", lambda: PurePosixPath(self.path()), text=str),
            Kind("PureWindowsPath", lambda: PureWindowsPath(self.path().replace("C:", "C"))),
            Kind("Decimal", self.decimal, text=str),
            Kind("np.int64", lambda: np.int64(r.randint(-(2**63), 2**63 - 1)), text=str),
            Kind("np.uint8", lambda: np.uint8(r.randint(0, 255)), text=str),
            Kind("np.float64", lambda: np.float64(self.float())),
            Kind("np.float32", self.float32),
            Kind("np.bool_", lambda: np.bool_(r.random() < 0.5)),
            Kind("np.complex128", lambda: np.complex128(complex(self.float(), 1.5))),
            Kind("np.str_", lambda: np.str_("ab'\n")),
            Kind("Rate", lambda: r.uniform(1e-9, 1.0), text=repr),
            Kind("Annotated[int, at.Ge(-5), Field(le=5)]", lambda: r.randint(-5, 5), text=str),
            Kind("Annotated[int, at.Interval(gt=0, lt=100), at.MultipleOf(7)]", lambda: 7 * r.randint(1, 14), text=str),
            Kind("Annotated[str, Field(min_length=1, max_length=3)]", lambda: "".join(r.choices("ab'\\", k=r.randint(1, 3)))),
            Kind("Annotated[date, at.Ge(date(2020, 1, 1))]", lambda: dt.date(2020, 1, 1) + dt.timedelta(r.randint(0, 9999)), text=str),
            Kind("Any", self.anything, is_hashable=False),
            Kind("Layers", lambda: self._many(Kind("int", self.int)), is_hashable=False),
        ]  # fmt: skip

    def int(self) -> int:
        return self._r.choice(
            [
                lambda: self._r.randint(-3, 3),
                lambda: self._r.randint(-(2**70), 2**70),
                lambda: self._r.choice([-1, 1]) * 10 ** self._r.randint(0, 400),
                lambda: self._r.choice([-1, 1]) * (10**4400 + self._r.randint(0, 9)) if self._r.random() < 0.02 else 0,
            ]
        )()  # fmt: skip

    def float(self) -> float:
        special = [
            math.nan,
            math.inf,
            -math.inf,
            0.0,
            -0.0,
            5e-324,
            1.7e308,
            0.1,
            1e16,
            3.0,
        ]
        if self._r.random() < 0.4:
            return self._r.choice(special)
        return self._r.uniform(-1, 1) * 10.0 ** self._r.randint(-300, 300)

    def float32(self) -> Any:
        return np.float32(
            self._r.choice([math.nan, -math.inf, 0.1, -0.0, self._r.random()])
        )

    def str(self) -> str:
        if self._r.random() < 0.3:
            return self._r.choice(_TRICKS)
        return "".join(self._r.choices(_SIGNS, k=self._r.randint(0, 8)))

    def path(self) -> str:
        parts = self._r.choices(
            ["a", "..", "b c", "d'e", '"', "ä", "=", "C:", "\\x"],
            k=self._r.randint(1, 3),
        )
        return self._r.choice(["", "/"]) + "/".join(parts)

    def date(self) -> dt.date:
        return dt.date.fromordinal(self._r.randint(1, dt.date.max.toordinal()))

    def time(self) -> dt.time:
        whole = dt.time(
            self._r.randint(0, 23), self._r.randint(0, 59), self._r.randint(0, 59)
        )
        micro = self._r.choice([0, 1, 500000, 999999])
        return whole.replace(
            microsecond=micro, tzinfo=self._zone(), fold=self._r.choice([0, 0, 1])
        )

    def datetime(self) -> dt.datetime:
        day = dt.date.fromordinal(self._r.randint(3, dt.date.max.toordinal() - 3))
        return dt.datetime.combine(day, self.time())

    def _zone(self) -> Any:
        return self._r.choice(
            [
                None,
                dt.UTC,
                dt.timezone(dt.timedelta(hours=-3, minutes=-30)),
                dt.timezone(dt.timedelta(seconds=1)),
                ZoneInfo("Europe/Berlin"),
            ]
        )

    def timedelta(self) -> dt.timedelta:
        days = self._r.choice(
            [0, 0, 1, -1, 999999999, -999999999, self._r.randint(-500, 500)]
        )
        return dt.timedelta(
            days, self._r.choice([0, 1, 86399]), self._r.choice([0, 1, 999999])
        )

    def decimal(self) -> Decimal:
        special = ["NaN", "-Infinity", "0", "-0.00", "1E+50", "1.10", "sNaN"]
        if self._r.random() < 0.4:
            return Decimal(self._r.choice(special[:-1]))
        return Decimal(self._r.randint(-(10**30), 10**30)).scaleb(
            self._r.randint(-40, 10)
        )

    def anything(self) -> Any:
        return self._r.choice(
            [
                lambda: {"$date": "2024-01-02"},
                lambda: {"$tuple": [1], "b": 2},
                lambda: {1: "a", None: [()], (1, 2): {3}, b"k": {}},
                lambda: {"$": set(), "": frozenset({1.5, "a"})},
                lambda: [np.float32(0.1), np.datetime64("2024-01-02", "D"), np.timedelta64(25, "s")],
                lambda: np.datetime64("NaT", "ns"),
                lambda: np.longdouble("0.1"),
                lambda: [Color.BLUE, Level.LOW, Mode.FAST],
                lambda: (Path("a"), PureWindowsPath("C:/b"), Decimal("1.0")),
                self.float, self.int, self.str, self.datetime, self.timedelta,
            ]
        )()  # fmt: skip


def repr_bare(value: complex) -> str:
    return repr(value).strip("()")


def naive_text(value: dt.datetime) -> str:
    zone = getattr(value.tzinfo, "key", None)
    return value.isoformat() + (f"[{zone}]" if zone else "") + "[_fold=1]" * value.fold
