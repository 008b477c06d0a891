"""The gates that come with nbship, one module per family."""

from __future__ import annotations

from nbship.vetting.gates.environment import EnvironmentIsLocked, NothingIsInstalled
from nbship.vetting.gates.execution import (
    CellsAreSyntax,
    CountsHaveNoGaps,
    NoCellLeftOut,
    NoStoredErrors,
    RanInOrder,
    RanTopToBottom,
)
from nbship.vetting.gates.metrics import (
    MetricsAreLogged,
    MetricsAreNumbers,
    MetricsMatchBaseline,
    MetricsReachThresholds,
)
from nbship.vetting.gates.names import NamesAreDefined, NoOutputCache
from nbship.vetting.gates.parameters import HasParametersCell, ParametersAreUsed
from nbship.vetting.gates.paths import NoAbsolutePaths
from nbship.vetting.gates.python import PythonIsSound
from nbship.vetting.gates.randomness import RandomnessIsSeeded
from nbship.vetting.gates.roots import InputsAreRaw, RootsAreProven
from nbship.vetting.gates.secrets import NoSecrets

#: in the order of their codes
BUILT_IN = (
    RanInOrder(),
    CountsHaveNoGaps(),
    NoCellLeftOut(),
    NamesAreDefined(),
    NoOutputCache(),
    CellsAreSyntax(),
    NoStoredErrors(),
    RanTopToBottom(),
    RandomnessIsSeeded(),
    EnvironmentIsLocked(),
    NothingIsInstalled(),
    NoAbsolutePaths(),
    HasParametersCell(),
    ParametersAreUsed(),
    NoSecrets(),
    MetricsAreLogged(),
    MetricsReachThresholds(),
    MetricsMatchBaseline(),
    MetricsAreNumbers(),
    RootsAreProven(),
    InputsAreRaw(),
    PythonIsSound(),
)
