"""Read an offline ``.wandb`` file: W&B's own Python reader is gone since 0.31."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK_BYTES = 32_768
_HEADER_BYTES = 7


@dataclass(kw_only=True)
class LoggedArtifact:
    """An artifact that an offline file logs."""

    name: str
    type: str
    aliases: list[str]
    description: str
    metadata: dict[str, Any]
    #: path in the artifact -> where it lies
    files: dict[str, str]


@dataclass(kw_only=True)
class OfflineRun:
    """What an offline file tells of a run."""

    run_id: str = ""
    project: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    exit_code: int | None = None
    artifacts: list[str] = field(default_factory=list)
    git_commit: str = ""
    job_type: str = ""
    logged: list[LoggedArtifact] = field(default_factory=list)


def read_offline_run(path: Path) -> OfflineRun:
    """Fold the records of an offline file."""
    run = OfflineRun()
    for record in records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run.run_id, run.project = record.run.run_id, record.run.project
            run.tags, run.notes = tuple(record.run.tags), record.run.notes
            run.git_commit = record.run.git.commit
            run.job_type = record.run.job_type
            _take(run.config, record.run.config.update)
        elif kind == "config":
            _take(run.config, record.config.update)
        elif kind == "history":
            row: dict[str, Any] = {}
            _take(row, record.history.item)
            run.history.append(row)
        elif kind == "artifact":
            run.artifacts += [entry.path for entry in record.artifact.manifest.contents]
            run.logged.append(_logged(record.artifact))
        elif kind == "exit":
            run.exit_code = record.exit.exit_code
    return run


def _logged(artifact: Any) -> LoggedArtifact:
    return LoggedArtifact(
        name=artifact.name,
        type=artifact.type,
        aliases=list(artifact.aliases),
        description=artifact.description,
        metadata=json.loads(artifact.metadata or "{}"),
        files={entry.path: entry.local_path for entry in artifact.manifest.contents},
    )


def records(path: Path) -> Iterator[Any]:
    """Read the records of LevelDB's log format, in blocks counted from the file's start."""
    from wandb.proto import wandb_internal_pb2

    data = path.read_bytes()
    assert data[:4] == b":W&B"
    position, body = _HEADER_BYTES, b""
    while True:
        left = _BLOCK_BYTES - position % _BLOCK_BYTES
        if left < _HEADER_BYTES:
            position += left
            continue
        if position + _HEADER_BYTES > len(data):
            return
        start = position + _HEADER_BYTES
        checksum, length, kind = struct.unpack("<IHB", data[position:start])
        piece = data[start : start + length]
        if len(piece) < length:
            return  # killed while writing
        if zlib.crc32(bytes([kind]) + piece) != checksum or (kind, length) == (0, 0):
            position, body = position + left, b""
            continue
        position = start + length
        body = piece if kind in {1, 2} else body + piece
        if kind in {1, 4}:
            record = wandb_internal_pb2.Record()
            record.ParseFromString(body)
            yield record


def _take(target: dict[str, Any], items: Any) -> None:
    for item in items:
        key = ".".join(item.nested_key) or item.key
        target[key] = json.loads(item.value_json)
