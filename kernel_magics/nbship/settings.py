"""Settings: default < file < environment < call; each value knows where it came from.

The file is ``[tool.mlops]`` in the project's ``pyproject.toml``, else ``mlops.toml``. The
environment names a key as ``MLOPS_`` plus its path in capitals: ``MLOPS_EXPORT_ROOTS``.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from nbship import variables
from nbship.errors import SettingsError
from nbship.records.policy import MetricRule, Policy
from nbship.setting_values import convert

if TYPE_CHECKING:
    from pathlib import Path

    from nbship.records.vetting import Waiver

STORE_NAME = ".mlops"
FILE_NAMES = ("pyproject.toml", "mlops.toml")


def _key(path: str, about: str) -> dict[str, str]:
    return {"key": path, "about": about}


def _set(default: Any, key: str, about: str) -> Any:  # noqa: ANN401  # as field() is
    return field(default=default, metadata=_key(key, about))


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that can be set, and the project it is set for."""

    #: folder of the project
    project: Path
    #: folder of the store
    store: Path
    experiment: str = _set(
        "", "experiment", "name of the series of runs; the notebook's name where empty"
    )
    trackers: tuple[str, ...] = field(
        default=("mlflow", "wandb"),
        metadata=_key("trackers", "where runs are mirrored"),
    )
    kernel: str = _set(
        "", "job.kernel", "kernel of jobs; the notebook's own where empty"
    )
    timeout_s: float = _set(
        0.0, "job.timeout_s", "seconds a job may take; 0 is no limit"
    )
    cell_timeout_s: float = _set(
        0.0, "job.cell_timeout_s", "seconds one cell may take; 0 is no limit"
    )
    gpus: int = field(default=0, metadata=_key("job.gpus", "GPUs that a job is given"))
    gpu_memory_gib: float = _set(
        0.0, "job.gpu_memory_gib", "GiB that each of a job's GPUs has at least"
    )
    seed: int = _set(
        0,
        "job.seed",
        "seed of random, numpy and torch before a job's first cell; -1 leaves them alone",
    )
    is_deterministic: bool = _set(
        default=False,
        key="job.deterministic",
        about="true asks torch, TensorFlow and JAX for deterministic algorithms, or an exception",
    )
    secrets: tuple[str, ...] = _set(
        (),
        "job.secrets",
        "variables of a job's kernel and where their values are found; a table in a file",
    )
    lock: str = _set(
        "eager",
        "job.lock",
        "when an environment's lock with hashes is made: eager, behind its first job, or on-demand",
    )
    cpus: int = _set(
        1, "job.cpus", "processors a job counts for, and threads of its libraries"
    )
    memory_gib: float = _set(
        0.0, "job.memory_gib", "GiB of memory a job may use; 0 is no limit"
    )
    workers: int = _set(
        0, "queue.workers", "jobs at a time; 0 is one per two processors, but two"
    )
    attempts: int = _set(
        1, "queue.attempts", "attempts at a job before its own failure stands"
    )
    losses: int = _set(
        2, "queue.losses", "attempts beside those that may be lost with their worker"
    )
    backoff_s: float = _set(
        1.0, "queue.backoff_s", "pause before another attempt; it doubles each time"
    )
    idle_s: float = _set(
        20.0, "queue.idle_s", "seconds without a job after which its processes leave"
    )
    roots: tuple[str, ...] = _set(
        (), "export.roots", "functions or fitted objects that jobs capture for release"
    )
    package: str = _set(
        "",
        "export.package",
        "import name of the exported package; made from the notebook's name where empty",
    )
    wheel_mib: float = _set(
        0.0, "export.wheel_mib", "MiB that a package's wheel may have; 0 is no limit"
    )
    install_mib: float = _set(
        0.0,
        "export.install_mib",
        "MiB that all installed with it may have; 0 is no limit",
    )
    import_s: float = _set(
        0.0, "export.import_s", "seconds that its import may take; 0 is no limit"
    )
    ci_exclude: tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "ci.exclude",
            "patterns of notebooks, relative to the project, that `mlops ci` leaves out",
        ),
    )
    metrics: tuple[MetricRule, ...] = field(
        default=(), metadata=_key("vet.metrics", "what each metric must reach")
    )
    waivers: tuple[Waiver, ...] = field(
        default=(),
        metadata=_key(
            "vet.waivers", "ignored codes with reason, person and expiry date"
        ),
    )
    block: tuple[str, ...] = _set((), "vet.block", "codes raised to blockers")
    skip: tuple[str, ...] = _set((), "vet.skip", "gates that are not asked")
    approvals: int = _set(
        1, "review.approvals", "approvals by different reviewers that a release needs"
    )
    reviewers: tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "review.reviewers",
            "public keys that may approve and seal, as lines of OpenSSH; any key where empty",
        ),
    )
    key: str = _set(
        "", "review.key", "private SSH key that seals; ~/.ssh/id_ed25519 where empty"
    )
    owner: str = _set(
        "", "release.owner", "who answers for a release, shown on its HANDOFF page"
    )
    statements: tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "release.statements",
            "what only the owner can say of a model, by key; a table in a file",
        ),
    )
    base_image: str = _set(
        "", "release.base_image", "image of containers, NAME:TAG@sha256:DIGEST"
    )
    advisories: str = _set(
        "", "release.advisories", "snapshot of OSV advisories: a zip, folder or file"
    )
    with_wheelhouse: bool = _set(
        default=False,
        key="release.wheelhouse",
        about="true puts the wheels of the lock into bundles",
    )
    platforms: tuple[str, ...] = _set(
        (),
        "release.platforms",
        "more platforms to lock for, as uv names them, such as aarch64-unknown-linux-gnu",
    )
    model_key: str = _set(
        "",
        "release.model_key",
        "private EC key in PEM that signs for OpenSSF model-signing; no model.sig where empty",
    )
    alias: str = _set(
        "released",
        "release.alias",
        "alias of the newest release at trackers; none is set where empty",
    )
    #: key -> "default", a file's name, a variable's name or "call"
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def policy(self) -> Policy:
        """The part of the settings that vetting and release ask."""
        return Policy(
            metrics=self.metrics,
            waivers=self.waivers,
            block=self.block,
            skip=self.skip,
            approvals=self.approvals,
        )


def setting_fields() -> dict[str, Any]:
    """Map each key, such as ``export.roots``, to its dataclass field."""
    return {f.metadata["key"]: f for f in fields(Settings) if "key" in f.metadata}


def variable_of(key: str) -> str:
    """Return the variable of the environment that sets a key: ``MLOPS_EXPORT_ROOTS``."""
    return "MLOPS_" + key.replace(".", "_").upper()


def name_in_project(path: Path, project: Path) -> str:
    """Return what records call a file: relative to the project, absolute outside of it."""
    home = project.resolve()
    return (path.relative_to(home) if path.is_relative_to(home) else path).as_posix()


def find_project(start: Path) -> Path | None:
    """Return the nearest ancestor with a store or with settings of ours, else None."""
    for folder in (start, *start.parents):
        if (folder / STORE_NAME).is_dir() or settings_file(folder) is not None:
            return folder
    return None


def settings_file(folder: Path) -> Path | None:
    """Return the file in ``folder`` that holds settings of ours, else None."""
    for name in FILE_NAMES:
        path = folder / name
        if path.is_file() and (
            name == "mlops.toml" or b"[tool.mlops" in path.read_bytes()
        ):
            return path
    return None


def read_settings(
    project: Path, *, environ: Mapping[str, str], call: Mapping[str, Any] | None = None
) -> Settings:
    """Read the settings of a project.

    Parameters
    ----------
    project
        The project's folder.
    environ
        The process's environment variables.
    call
        Values given by the caller, by key; they win.

    Raises
    ------
    SettingsError
        If the file is no TOML, or keys or values in it are not known; all are named together.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    mistakes: list[str] = []
    path = settings_file(project)
    if path is not None:
        _take(_flatten(_read_table(path)), path.name, values, origins, mistakes)
    _take(_from_environment(environ), "", values, origins, mistakes)
    _take(dict(call or {}), "call", values, origins, mistakes)
    if mistakes:
        raise SettingsError(
            "\n".join(mistakes), hint="Correct it; `mlops config` lists every key."
        )
    store = environ.get(variables.STORE)
    return Settings(
        project=project,
        store=(project / store) if store else project / STORE_NAME,
        origins=origins,
        **values,
    )


def _read_table(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path}: not TOML: {error}", hint="Correct that line."
        ) from error
    table = (
        document.get("tool", {}).get("mlops", {})
        if path.name == "pyproject.toml"
        else document
    )
    return dict(table)


def _flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    known = setting_fields()
    flat: dict[str, Any] = {}
    for name, value in table.items():
        key = f"{prefix}{name}"
        is_section = any(k.startswith(f"{key}.") for k in known)
        if isinstance(value, Mapping) and is_section and key not in known:
            flat |= _flatten(value, f"{key}.")
        else:
            flat[key] = value
    return flat


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for key in setting_fields():
        if variable_of(key) in environ:
            found[key] = environ[variable_of(key)]
    return found


def _take(
    found: Mapping[str, Any],
    origin: str,
    values: dict[str, Any],
    origins: dict[str, str],
    mistakes: list[str],
) -> None:
    known = setting_fields()
    for key, raw in found.items():
        where = origin or variable_of(key)
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            mistakes.append(
                f"{where}: no setting {key!r}"
                + (f"; did you mean {near[0]!r}?" if near else "")
            )
            continue
        try:
            values[known[key].name] = convert(key, raw, default=known[key].default)
            origins[key] = where
        except (TypeError, ValueError, SettingsError) as error:
            mistakes.append(f"{where}: {key} is {raw!r}: {error}")
