"""What a job's kernel begins with, so that two runs are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.records.capsule import Determinism

if TYPE_CHECKING:
    from collections.abc import Mapping

#: thread pools of numerical libraries; sums depend on how many threads share them
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
#: what the user's own environment may decide, besides the threads
_OWN = ("PYTHONHASHSEED", "TZ", "CUBLAS_WORKSPACE_CONFIG")
_XLA = "--xla_gpu_deterministic_ops=true"


def settle(
    *,
    seed: int | None,
    is_strict: bool,
    cpus: int,
    time_zone: str,
    environ: Mapping[str, str],
) -> Determinism:
    """Decide what a kernel begins with; what the user's environment says stays.

    Parameters
    ----------
    seed
        Seed of ``random``, numpy and torch; None leaves them alone.
    is_strict
        Whether libraries are asked for deterministic algorithms.
    cpus
        Threads of each numerical library.
    time_zone
        Name of the submitter's time zone, "" where it is unknown.
    environ
        The submitter's environment variables.

    References
    ----------
    PyTorch, *Reproducibility* (docs/notes/randomness): cuBLAS needs
    ``CUBLAS_WORKSPACE_CONFIG`` from CUDA 10.2 on. TensorFlow and XLA name their variables in
    ``tf.config.experimental.enable_op_determinism`` and in the flags of XLA.
    """
    decided = dict.fromkeys(THREAD_VARIABLES, str(max(cpus, 1)))
    decided |= {"PYTHONHASHSEED": "0", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
    decided |= {"TZ": time_zone} if time_zone else {}
    own = {n: environ[n] for n in (*THREAD_VARIABLES, *_OWN) if environ.get(n)}
    strict = _strict(environ.get("XLA_FLAGS", "")) if is_strict else {}
    return Determinism(
        seed=seed,
        is_strict=is_strict,
        environ=dict(sorted({**decided, **own, **strict}.items())),
    )


def _strict(flags: str) -> dict[str, str]:
    return {
        "TF_DETERMINISTIC_OPS": "1",
        "TF_CUDNN_DETERMINISTIC": "1",
        "XLA_FLAGS": flags if _XLA in flags else f"{flags} {_XLA}".strip(),
    }
