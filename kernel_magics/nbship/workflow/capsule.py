"""The capsule of a job: what its folder holds so that it can be repeated and understood later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbship.capture.redaction import Redactor
from nbship.errors import JobError
from nbship.jobs.secret_references import read_references
from nbship.records.capsule import Repository
from nbship.records.digest import digest_bytes, digest_file
from nbship.vetting.secrets import find_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from nbship.ports import Store
    from nbship.records.capsule import GitChanges, LocalModule
    from nbship.records.environment import Environment
    from nbship.records.job import Job
    from nbship.records.notebook import Notebook

    #: code beside the notebook, with its bytes
    CodeFiles = tuple[tuple[LocalModule, bytes], ...]

MODULES = "modules"
_LARGEST_PATCH_BYTES = 4 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class CapsuleTools:
    """What filling a capsule asks of the machine."""

    #: ``job.secrets`` of the settings
    secrets: tuple[str, ...]
    #: names the secrets that are not there
    missing_secrets: Callable[[Mapping[str, str]], list[str]]
    #: values that can be had without asking a program, by name
    known_secrets: Callable[[Mapping[str, str]], Mapping[str, str]]
    #: code that cells import from beside them; from the kernel's folder, for an environment
    code_files: Callable[[Sequence[str], Path, Environment | None], CodeFiles]
    #: what git tells of a folder; None without git or a repository
    changes: Callable[[Path], GitChanges | None]


def checked_secrets(tools: CapsuleTools, notebook: Notebook) -> dict[str, str]:
    """Read the references to secrets, and see that each leads somewhere.

    Raises
    ------
    JobError
        If one is no reference, is missing, or stands with its value in the notebook: they are
        named, and never shown.
    """
    references = read_references(tools.secrets)
    if missing := tools.missing_secrets(references):
        raise JobError(
            f"{notebook.path}: no value for the secret {', '.join(missing)}",
            hint="Set it where `job.secrets` says it is, then submit again.",
        )
    redactor = Redactor(tools.known_secrets(references))
    shown = redactor.names_in("\n".join(cell.source for cell in notebook.cells))
    if shown:
        raise JobError(
            f"{notebook.path}: the value of the secret {', '.join(shown)} stands in it",
            hint=f'Write os.environ["{shown[0]}"] in its place.',
        )
    return references


def write_repository(
    store: Store, draft: Path, tools: CapsuleTools, *, cwd: Path, job: Job
) -> None:
    """Write ``git.json`` and ``patch.diff`` into a job's folder, where there is a repository.

    Raises
    ------
    StoreError
        If the store cannot be written.
    """
    changes = tools.changes(cwd)
    if changes is None:
        return
    redactor = Redactor(tools.known_secrets(job.secrets))
    remark = _objection(changes, redactor)
    patch = b"" if remark else changes.patch
    record = Repository(
        state=changes.state,
        patch_digest=digest_bytes(patch) if patch else "",
        untracked=tuple(redactor.text(name) for name in changes.untracked),
        remarks=tuple(text for text in (*changes.remarks, remark) if text),
    )
    store.save(record, draft / "git.json")
    if patch:
        (draft / "patch.diff").write_bytes(patch)


def changed_modules(job: Job, project: Path) -> tuple[str, ...]:
    """Name the job's modules that lie beside the notebook otherwise than when it was planned."""
    changed = []
    for module in job.modules:
        path = project / module.path
        if not path.is_file() or digest_file(path) != module.digest:
            changed.append(module.path)
    return tuple(changed)


def module_folders(store: Store, job: Job) -> tuple[str, ...]:
    """Return the folders of a job's own copies that belong on ``sys.path``, in their order."""
    home = store.job_folder(job.id).absolute() / MODULES
    return tuple(dict.fromkeys(str(home / module.root) for module in job.modules))


def _objection(changes: GitChanges, redactor: Redactor) -> str:
    """Say why a patch is left out; "" where it is kept."""
    size_bytes = len(changes.patch)
    if size_bytes > _LARGEST_PATCH_BYTES:
        return (
            f"patch left out: {size_bytes} bytes, the limit is {_LARGEST_PATCH_BYTES}"
        )
    text = changes.patch.decode("utf-8", "replace")
    if names := redactor.names_in(text):
        return f"patch left out: it holds the value of {', '.join(names)}"
    if found := find_secrets(text):
        kinds = ", ".join(sorted({secret.kind for secret in found}))
        return f"patch left out: it seems to hold a secret ({kinds})"
    return ""
