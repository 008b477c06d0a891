"""Conversations with a process that several jobs share: one keeps what it answers, others replay.

The first job's requests go to the process itself, and behind the shared cells to a copy of it.
A later job talks with another copy; what it asks about the shared cells is answered from what
was kept.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbship import variables
from nbship.adapters.kernels.conversation import Conversation
from nbship.adapters.kernels.processes import ForkRefusedError
from nbship.adapters.kernels.shared_scripts import GO_ON, REST, REWRITE, hidden
from nbship.errors import KernelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.adapters.kernels.direct import DirectConversation
    from nbship.adapters.kernels.processes import KernelStart
    from nbship.adapters.kernels.sharing import Prefix
    from nbship.adapters.kernels.wire import Message
    from nbship.capture.redaction import Redactor

_REQUEST = "execute_request"
#: variables that name the run, and nothing that cells depend on
_PER_RUN = frozenset({variables.RUN_FOLDER})
_ASK_S = 60.0
#: what setting values may be answered with
_PLAIN = frozenset({"status", "execute_input", "execute_reply"})
_LOG = logging.getLogger("nbship")


@dataclass(kw_only=True, slots=True)
class _Answer:
    """A request, and everything that was said about it."""

    request: str
    is_silent: bool
    messages: list[tuple[str, Message]] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class Kept:
    """A process that has executed a prefix."""

    talk: DirectConversation
    start: KernelStart
    info: Mapping[str, Any]
    answers: list[_Answer]

    def fork(self, start: KernelStart, *, is_new: bool) -> DirectConversation:
        """Copy it for a job.

        Raises
        ------
        ForkRefusedError
            If the copy could differ from a process of the job's own.
        """
        changed = {
            name
            for name in {*start.environ, *self.start.environ}
            if start.environ.get(name) != self.start.environ.get(name)
        }
        if changed - _PER_RUN or start.cwd != self.start.cwd:
            raise ForkRefusedError("the jobs' environments differ")
        told = {name: start.environ[name] for name in changed & set(start.environ)}
        talk = self.talk.fork(environ=told, held_fds=start.held_fds)
        folder = start.environ.get(variables.RUN_FOLDER, "")
        _ask(talk, hidden(GO_ON.format(folder=folder, is_new=is_new)))
        return talk


class Keeper:
    """The process that one launcher's jobs share last, and prefixes that cannot be shared."""

    def __init__(self) -> None:
        self.refused: dict[str, str] = {}
        self._key = ""
        self._kept: Kept | None = None

    def find(self, key: str) -> Kept | None:
        """Return the process that has executed a prefix, where it lives."""
        kept = self._kept if key == self._key else None
        return kept if kept and kept.talk.process.poll() is None else None

    def keep(self, key: str, kept: Kept) -> None:
        """Keep a process, and end the one before it."""
        self.close()
        self._key, self._kept = key, kept

    def refuse(self, key: str, reason: str) -> None:
        """Note that jobs of this key execute every cell themselves."""
        _LOG.info("no cells are shared with other jobs: %s", reason)
        self.refused[key] = reason

    def close(self) -> None:
        """End the process."""
        if self._kept is not None:
            self._kept.talk.shutdown(is_immediate=True)
            self._kept = None


class _Passing(Conversation):
    """Passes everything on to the conversation with one process."""

    is_direct = True

    def __init__(self, inner: DirectConversation) -> None:
        self._inner = inner
        self.process = inner.process
        self.wire = inner.wire
        self.redactor = None

    def redact(self, redactor: Redactor | None) -> None:
        """Take secrets out of what the process says, and so out of what is answered again."""
        self._inner.redact(redactor)

    def interrupt(self) -> None:
        """Interrupt what is executed."""
        self._inner.interrupt()

    def shutdown(self, *, is_immediate: bool = False, is_busy: bool = False) -> None:
        """End the process and let go of everything."""
        self._inner.shutdown(is_immediate=is_immediate, is_busy=is_busy)

    def close(self) -> None:
        """Let go of everything."""
        self._inner.close()


class Recording(_Passing):
    """Keeps what the first job's process answers; behind the prefix it goes on in a copy."""

    def __init__(
        self,
        inner: DirectConversation,
        start: KernelStart,
        prefix: Prefix,
        keeper: Keeper,
    ) -> None:
        super().__init__(inner)
        self._start, self._prefix, self._keeper = start, prefix, keeper
        self._info: Mapping[str, Any] = {}
        self._answers: list[_Answer] = []
        self._cells = 0
        self._is_recording = True

    def wait_ready(self, timeout_s: float | None) -> Mapping[str, Any]:
        """Wait until the process answers."""
        self._info = self._inner.wait_ready(timeout_s)
        return self._info

    def send(self, message: Message) -> None:
        """Send a request; the first one behind the prefix goes to a copy."""
        if self._is_recording and message["msg_type"] == _REQUEST:
            content = message["content"]
            if not content["silent"]:
                self._reach(content["code"])
            if self._is_recording:
                self._answers.append(
                    _Answer(request=message["msg_id"], is_silent=content["silent"])
                )
        self._inner.send(message)

    def receive(self, timeout_s: float | None) -> tuple[str, Message] | None:
        """Wait for a message."""
        received = self._inner.receive(timeout_s)
        if self._is_recording and received is not None and self._answers:
            parent = received[1]["parent_header"].get("msg_id")
            if parent == self._answers[-1].request:
                self._answers[-1].messages.append(received)
        return received

    def _reach(self, code: str) -> None:
        if self._cells == len(self._prefix.sources):
            self._go_on_in_copy()
        elif code != self._prefix.sources[self._cells]:
            self._is_recording = False
        self._cells += 1

    def _go_on_in_copy(self) -> None:
        self._is_recording = False
        key = self._prefix.key
        kept = Kept(
            talk=self._inner,
            start=self._start,
            info=self._info,
            answers=self._answers,
        )
        try:
            self._check_injected()
            _ask(self._inner, hidden(REST))
            talk = kept.fork(self._start, is_new=False)
        except ForkRefusedError as error:
            self._keeper.refuse(key, str(error))
            return
        self._keeper.keep(key, kept)
        self._inner, self.process = talk, talk.process
        self.has_shared = True

    def _check_injected(self) -> None:
        """Make sure that setting values did nothing else.

        Raises
        ------
        ForkRefusedError
            If it said something.
        """
        cells = [answer for answer in self._answers if not answer.is_silent]
        number = self._prefix.injected
        if number is None:
            return
        kinds = {message["msg_type"] for _, message in cells[number].messages}
        if kinds - _PLAIN:
            raise ForkRefusedError("setting the values had outputs")


class Replaying(_Passing):
    """A copy for a later job: what was answered once is answered again."""

    has_shared = True

    def __init__(self, kept: Kept, start: KernelStart, prefix: Prefix) -> None:
        super().__init__(kept.fork(start, is_new=True))
        self._info = kept.info
        self._prefix = prefix
        self._left = deque(kept.answers)
        self._cells = 0
        self._received: deque[tuple[str, Message]] = deque()

    def wait_ready(self, timeout_s: float | None) -> Mapping[str, Any]:  # noqa: ARG002
        """Return what the process said of itself; it is ready."""
        return self._info

    def send(self, message: Message) -> None:
        """Answer a request about the prefix; send any other one.

        Raises
        ------
        KernelError
            If the request is not what the first job asked, or the values cannot be set.
        """
        if message["msg_type"] != _REQUEST or not self._left:
            self._inner.send(message)
            return
        answer, content = self._left.popleft(), message["content"]
        if answer.is_silent != content["silent"]:
            raise KernelError("jobs of one sweep have asked different things")
        if not answer.is_silent:
            if self._cells == self._prefix.injected:
                self._set_values(content["code"], answer)
            self._cells += 1
        self._received.extend(_again(answer, message))

    def receive(self, timeout_s: float | None) -> tuple[str, Message] | None:
        """Wait for a message."""
        if self._received:
            return self._received.popleft()
        return self._inner.receive(timeout_s)

    def _set_values(self, code: str, answer: _Answer) -> None:
        """Set the values of this job, where the history has another one's.

        Raises
        ------
        KernelError
            If that fails.
        """
        replies = (m for channel, m in answer.messages if channel == "shell")
        number = next(replies)["content"]["execution_count"]
        _ask(self._inner, code)
        rewriting = REWRITE.format(number=number, source=code)
        _ask(self._inner, hidden(rewriting, "get_ipython=get_ipython"))


def _ask(talk: Conversation, code: str) -> None:
    from nbship.adapters.kernels.exchange import ask_silently

    reply = ask_silently(talk, code, timeout_s=_ASK_S)
    if not reply.is_ok:
        raise KernelError(
            f"a copy of the shared process is not ready: {reply.ename}: {reply.evalue}",
            hint="Execute every cell in every job: `mlops sweep --no-share`.",
        )


def _again(answer: _Answer, request: Message) -> list[tuple[str, Message]]:
    """Return what was said about an earlier request as an answer to this one."""
    now = datetime.now(UTC)
    found = []
    for channel, message in answer.messages:
        content = message["content"]
        if message["msg_type"] == "execute_input":
            content = {**content, "code": request["content"]["code"]}
        header = {**message["header"], "date": now}
        again = {
            **message,
            "header": header,
            "parent_header": request["header"],
            "content": content,
        }
        found.append((channel, again))
    return found
