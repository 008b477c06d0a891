"""Start the server: ``python server.py SOCKET``, its configuration on standard input.

The package that this file lies in is loaded under a name of its own, so that neither its folder
nor nbship appears on the kernels' ``sys.path``. Imports are recorded from the beginning.
"""

from __future__ import annotations

import sys
from importlib import import_module

PACKAGE = "_nbship_forkserver"


def load_package() -> None:
    """Make the siblings of this file importable as ``_nbship_forkserver``.

    Raises
    ------
    ImportError
        If they are not there.
    """
    from importlib.util import module_from_spec, spec_from_file_location

    folder = __file__.rpartition("/")[0]
    spec = spec_from_file_location(
        PACKAGE, f"{folder}/__init__.py", submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        raise ImportError(folder)
    package = module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file, which no kernel has
    load_package()
    recorder = import_module(f"{PACKAGE}.recording").Recorder()
    shown = set(sys.modules)  # what every interpreter has, or nearly
    with recorder.recording():
        serving = import_module(f"{PACKAGE}.serving")
    sys.exit(serving.main(sys.argv[1], recorder, shown))
