"""Variables of the environment that are no settings; ``docs/settings.md`` explains those for users."""

from __future__ import annotations

#: the store's folder, instead of ``.mlops`` in the project
STORE = "MLOPS_STORE"
#: passphrase of the private key that seals
KEY_PASSPHRASE = "MLOPS_KEY_PASSPHRASE"  # noqa: S105  # a name, not a secret
#: set by the engine in its kernels: folder of the run that they belong to
RUN_FOLDER = "MLOPS_RUN_DIR"
#: set by the engine in its kernels: names of the variables that hold secrets
SECRETS = "MLOPS_SECRETS"
#: set by the engine in its kernels: the notebook's file
NOTEBOOK = "MLOPS_NOTEBOOK"
#: folder of the locks by which jobs lease GPUs, instead of the one under ``/tmp``
GPU_LOCKS = "MLOPS_GPU_LOCKS"
#: makes our engine papermill's default: for ``papermill`` without ``--engine``
PAPERMILL_DEFAULT = "MLOPS_PAPERMILL_DEFAULT"
