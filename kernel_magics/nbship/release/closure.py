"""From a live root to everything that its answers need: the closure.

The walk follows what the interpreter would look up: the global names that code reads, in
functions, in classes and in their definitions. What a name stands for is decided by the
object it is bound to now, so that redefinition and cells run out of order do no harm.
"""

from __future__ import annotations

import builtins
from types import FunctionType
from typing import TYPE_CHECKING, Any

from nbship.errors import ExportError, HazardError
from nbship.release import definitions, devices, environ, hazards, imports, literals
from nbship.release.instructions import use_of_text
from nbship.release.items import Closure, Item, StateNeed, written_item
from nbship.release.naming import assigned_item
from nbship.release.patches import patch_hazards
from nbship.release.recording import unrecorded
from nbship.release.remarks import remarks_of
from nbship.release.vendoring import inner_import_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType

    from nbship.release.cells import Cells

#: names that every module has of its own
_MODULE_NAMES = {
    "__name__", "__file__", "__doc__", "__builtins__", "__package__", "__spec__",
    "__annotations__", "__loader__", "__debug__",
}  # fmt: skip
_MISSING = object()


class ClosureWalk:
    """Follow what a root reads.

    Parameters
    ----------
    namespace
        The notebook's names.
    cells
        File name of each cell execution to its source.
    is_local
        Tells whether the module of a top-level name is a file beside the notebook.
    """

    def __init__(
        self,
        namespace: Mapping[str, Any],
        cells: Cells,
        is_local: Callable[[str], bool] = lambda _name: False,
    ) -> None:
        self.namespace = namespace
        self.cells = cells
        self._extra: dict[str, Any] = {}
        self._items: dict[str, Item] = {}
        self._queue: list[tuple[str, str]] = []
        self._needs: dict[str, StateNeed] = {}
        self._by_id: dict[int, str] = {}
        self._is_local = is_local
        self._modules: dict[str, None] = {}
        self._local: dict[str, None] = {}
        self._variables: dict[str, None] = {}
        self._required: dict[str, None] = {}
        self._readers: dict[str, str] = {}
        #: names made here for values that closures share, by id
        self._shared: dict[int, str] = {}
        #: id of a closure's cell -> the function that has it, and whether one sets it
        self.closed_over: dict[int, tuple[str, bool]] = {}
        self._hazards: dict[str, HazardError] = {}
        self._remarks: dict[str, None] = {}
        #: functions that a decorator of the notebook put around another, with their codes
        self.wrappers: list[tuple[str, CodeType]] = []

    def require(self, name: str, *, reader: str) -> None:
        """Take a global name and all that it needs.

        Raises
        ------
        ExportError
            If text is not to be had or is not what ran; hazards are kept until the end.
        """
        self._queue.append((name, reader))
        self.follow()

    def follow(self) -> None:
        """Take all that the statements taken so far need.

        Raises
        ------
        ExportError
            As :meth:`require`.
        """
        while self._queue:
            wanted, by = self._queue.pop(0)
            self._readers.setdefault(wanted, by)
            if (
                wanted in self._items
                or wanted in self._needs
                or wanted in self._hazards
            ):
                continue
            try:
                self._take(wanted, by)
            except HazardError as error:
                self._hazards[wanted] = error

    def add(self, item: Item) -> None:
        """Take a statement, and all that it needs."""
        self._items[item.name] = item
        self._queue += [
            (read, item.name) for read in item.reads if read not in self._items
        ]
        for remark in remarks_of(item, self):
            self.note(remark)
        for module in item.imports:
            if module and self.is_local(module):
                error = inner_import_error(module, item.name)
                self._hazards[f"{item.name} {module}"] = error
            self.use_module(module)
        self._variables |= dict.fromkeys(environ.variables_of(item.text, self))
        self._required |= dict.fromkeys(environ.required_of(item.text, self))
        for path in imports.submodules_of(item.text, self):
            if path not in self._items:
                self._items[path] = imports.submodule_item(self, path)
                self._readers.setdefault(path, item.name)

    def take_needs(self) -> list[StateNeed]:
        """Return the values that need a file and were not returned before."""
        taken = [need for name, need in self._needs.items() if name not in self._items]
        return sorted(taken, key=lambda need: need.name)

    def refuse(self, name: str, error: HazardError) -> None:
        """Note that a value has no codec."""
        self._hazards[name] = error
        self._needs.pop(name, None)

    def finish(self, root: str) -> Closure:
        """Return the closure.

        Raises
        ------
        HazardError
            If something in it has no place in a package; all are named together.
        """
        self._hazards.update(patch_hazards(self))
        if self._hazards:
            hazards.raise_together(list(self._hazards.values()))
        definitions.check_wrappers(self)
        return Closure(
            root=root,
            items=dict(self._items),
            modules=tuple(sorted(self._modules)),
            local=tuple(sorted(self._local)),
            resources=tuple(
                sorted(i.name for i in self._items.values() if i.is_resource)
            ),
            variables=tuple(sorted(self._variables.keys() - {environ.COMPUTED})),
            required_variables=tuple(sorted(self._required)),
            readers=dict(self._readers),
            remarks=tuple(self._remarks),
        )

    def bind(self, name: str, value: Any) -> None:  # noqa: ANN401
        """Give a value a name that the notebook has not given it."""
        self._extra[name] = value

    def need_state(self, name: str, value: Any, *, reader: str) -> None:  # noqa: ANN401
        """Take a value as a file, whatever else could stand for it."""
        self._needs[name] = StateNeed(name=name, value=value, reader=reader)

    def value_of(self, name: str) -> Any:  # noqa: ANN401
        """Return what a name is bound to, without our recorder around it."""
        value = self._extra.get(name, self.namespace.get(name, _MISSING))
        return value if value is _MISSING else unrecorded(value)

    def has(self, name: str) -> bool:
        """Tell whether a name is bound in the notebook."""
        return name in self._extra or name in self.namespace

    def note(self, remark: str) -> None:
        """Add something that a reader should know."""
        self._remarks[remark] = None

    def use_module(self, module: str) -> None:
        """Note that a module is imported."""
        kind = self._local if self.is_local(module) else self._modules
        kind[module] = None

    def is_local(self, module: str) -> bool:
        """Tell whether a dotted module is a file beside the notebook."""
        return self._is_local(module.partition(".")[0])

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules imported so far, local ones too."""
        return (*self._modules, *self._local)

    def reference(self, value: Any, *, suggestion: str, reader: str) -> str:  # noqa: ANN401
        """Return an expression for a value; where it needs a name, one is made."""
        value = unrecorded(value)
        if isinstance(value, literals.MUTABLE):
            return self._shared_name(value, suggestion, reader)
        text = literals.literal_text(value)
        if text is not None:
            hazards.check_secret(suggestion, value, reader=reader, cells=self.cells)
            return text
        name = getattr(value, "__name__", "")
        if name and self.has(name) and self.value_of(name) is value:
            self._queue.append((name, reader))
            return name
        return self._shared_name(value, suggestion, reader)

    def _shared_name(self, value: Any, suggestion: str, reader: str) -> str:  # noqa: ANN401
        """Name a value as the notebook does, else anew, so that all still mean one object."""
        bound = (
            name
            for name, held in self.namespace.items()
            if unrecorded(held) is value and not name.startswith("_")
        )
        name = self._shared.get(id(value)) or next(bound, suggestion)
        self._shared[id(value)] = name
        if not self.has(name):
            self._extra[name] = value
        self._queue.append((name, reader))
        return name

    @property
    def wanted(self) -> frozenset[str]:
        """Every global name that was asked for."""
        return frozenset(self._readers)

    @property
    def items(self) -> Mapping[str, Item]:
        """The statements taken so far."""
        return self._items

    def _take(self, name: str, reader: str) -> None:
        if name in _MODULE_NAMES:
            return
        value = self.value_of(name)
        if name == "get_ipython":
            item = self._items.get(reader)
            place = item.place_of(name) if item else ""
            raise ExportError(
                f"{reader} calls get_ipython(){place}: a magic or shell "
                "command stands in its body",
                hint="Move the line that begins with % or ! into a cell of its own.",
                hazard="magic",
                name=reader,
            )
        if value is _MISSING or imports.is_guarded_open(name, value):
            self._take_missing(name, reader)
            return
        if hazards.secret_in(name, value) is not None:
            item = environ.environment_item(name, self)
            if item is not None:
                self.add(item)
                return
        hazards.check_secret(name, value, reader=reader, cells=self.cells)
        item = (
            imports.import_item(self, name, value)
            or definitions.definition_item(self, name, value)
            or devices.device_item(self, name, value)
        )
        if item is None:
            hazards.check_handle(name, value, reader=reader, cells=self.cells)
            item = self._constant(name, value, reader)
        if item is not None:
            self.add(item)

    def _take_missing(self, name: str, reader: str) -> None:
        if hasattr(builtins, name):
            if name == "input":
                raise hazards.keyboard(reader)
            value: Any = getattr(builtins, name)
            if str(getattr(value, "__module__", "")).startswith("IPython"):
                self.add(
                    imports.from_item(self, name, value.__module__, value.__name__)
                )
            return
        if any(name in item.writes for item in self._items.values()):
            return
        raise ExportError(
            f"{reader} reads {name!r}, which no cell binds now",
            hint=f"Run the cell that binds {name}, or take it out of {reader}.",
            hazard="missing-name",
            name=name,
        )

    def _constant(self, name: str, value: Any, reader: str) -> Item | None:  # noqa: ANN401
        twin = self._by_id.get(id(value))
        if (
            twin is not None
            and twin != name
            and not isinstance(value, (int, str, float))
        ):
            return written_item(
                name, f"{name} = {twin}", kind="constant", reads=(twin,)
            )
        self._by_id[id(value)] = name
        passage = (
            literals.authors_literal(name, value, self.cells)
            or literals.authors_construction(name, value, self.cells, self.value_of)
            or literals.authors_type(name, value, self.cells)
        )
        if passage is not None:
            return assigned_item(name, passage)
        text = literals.literal_text(value) or self._display(name, value)
        if text is not None:
            reads = use_of_text(text).reads
            return written_item(name, f"{name} = {text}", kind="constant", reads=reads)
        self._needs[name] = StateNeed(name=name, value=value, reader=reader)
        return None

    def _display(self, name: str, value: Any) -> str | None:  # noqa: ANN401
        count = 0

        def name_of(part: Any) -> str:  # noqa: ANN401
            nonlocal count
            if not isinstance(part, type) and not callable(part):
                raise literals.NoTextError(type(part).__name__)
            count += 1
            text = self._name_part(part, f"{name}__{count}")
            if text == name:  # it would be defined by itself
                raise literals.NoTextError(name)
            return text

        text = literals.display_text(value, name_of)
        return text if count else None  # a long literal travels as a file

    def _name_part(self, part: Any, suggestion: str) -> str:  # noqa: ANN401
        name = getattr(part, "__name__", "")
        if part is getattr(builtins, name, _MISSING):
            return str(name)
        place = imports.importable(part)
        if self.has(name) and self.value_of(name) is part:
            return str(name)
        if place is None and not isinstance(part, FunctionType):
            raise literals.NoTextError(name)
        if place is not None and not self.has(place[1]):
            self._extra[place[1]] = part
            return place[1]
        self._extra[suggestion] = part
        return suggestion
