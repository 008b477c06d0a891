"""The extension's application: what JupyterLab's server loads."""

from __future__ import annotations

from pathlib import Path

from jupyter_core.paths import jupyter_path
from jupyter_server.extension.application import ExtensionApp

from nbship_lab.handlers import RunsHandler
from nbship_lab.project import Projects

#: name of the front end, as in ``extension/package.json``
FRONT_END = "nbship-lab"


class NbshipLabApp(ExtensionApp):
    """Serves ``/nbship``."""

    name = "nbship_lab"
    extension_url = "/nbship"
    load_other_extensions = True

    def initialize_settings(self) -> None:
        """Make what the handlers share, and say where the panel is missing."""
        root = Path(self.serverapp.contents_manager.root_dir).expanduser().resolve()
        self.settings["nbship_projects"] = Projects(root)
        if not has_front_end():
            self.log.warning(
                "nbship: installed without its side panel; install it again where"
                " the npm registry can be reached (docs/lab.md)"
            )

    def initialize_handlers(self) -> None:
        """Register the routes."""
        self.handlers.append((r"/nbship/runs", RunsHandler))


def has_front_end() -> bool:
    """Tell whether the built front end is installed."""
    folders = (Path(folder) / FRONT_END for folder in jupyter_path("labextensions"))
    return any((folder / "package.json").is_file() for folder in folders)
