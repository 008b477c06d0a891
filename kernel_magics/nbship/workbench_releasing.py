"""The part of the workbench that hands over to IT."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbship.adapters.bundles.model_seal import EcModelSealer
    from nbship.release.advisories import Snapshot
    from nbship.release.budgets import Budget
    from nbship.settings import Settings


class ReleasingBench:
    """Wires what bundles are made with; :class:`nbship.workbench.Workbench` has the rest."""

    settings: Settings

    @property
    def budget(self) -> Budget:
        """What packages may weigh, and how long their import may take."""
        from nbship.release.budgets import Budget

        limits = self.settings
        return Budget(
            wheel_mib=limits.wheel_mib,
            install_mib=limits.install_mib,
            import_s=limits.import_s,
        )

    @cached_property
    def model_sealer(self) -> EcModelSealer:
        """Signs with the key of ``release.model_key``; without one it checks only."""
        from nbship.adapters.bundles.model_seal import EcModelSealer

        return EcModelSealer(self._in_project(self.settings.model_key))

    def advisories(self) -> Snapshot | None:
        """Read the snapshot of advisories; None where the settings name none.

        Raises
        ------
        ReleaseError
            If it cannot be read.
        """
        from nbship.adapters.bundles.advisories import read_snapshot

        path = self._in_project(self.settings.advisories)
        return read_snapshot(path) if path else None

    def _in_project(self, path: str) -> Path | None:
        return self.settings.project / Path(path).expanduser() if path else None
