"""``nbconvert --to nbship-report``: one self-contained, script-free HTML file.

nbconvert's own page pulls scripts from the network, runs what the notebook brings along, and
spends half of its time in BeautifulSoup. This exporter keeps nbconvert's preprocessors and
template loading and renders the page from ``templates/report/`` with everything escaped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbconvert.exporters import HTMLExporter  # noqa: TID253  # the class to derive from
from nbconvert.exporters.templateexporter import (  # noqa: TID253
    TemplateExporter,
)
from traitlets import default  # noqa: TID253

from nbship.faces import report_page, report_words
from nbship.records.ssh import fingerprint
from nbship.resources import template_folder

if TYPE_CHECKING:
    from jinja2 import Environment
    from nbformat import NotebookNode

#: key of the resources under which a caller hands in the facts of a job
FACTS = "nbship"


class ReportExporter(HTMLExporter):
    """Exports an executed notebook as a report."""

    export_from_notebook = "nbship report"

    @default("template_name")
    def _template_name_default(self) -> str:
        return "report"

    @default("template_paths")
    def _template_paths(
        self,
        prune: bool = True,  # noqa: ARG002, FBT001, FBT002  # nbconvert's signature
        root_dirs: list[str] | None = None,  # noqa: ARG002
    ) -> list[str]:
        return [str(template_folder("report"))]

    def from_notebook_node(
        self,
        nb: NotebookNode,
        resources: dict[str, Any] | None = None,
        **kw: Any,  # noqa: ANN401  # nbconvert's signature
    ) -> tuple[str, dict[str, Any]]:
        """Render a notebook, with the facts of its job where ``resources`` hold them.

        nbconvert's BeautifulSoup pass is passed over: the template writes what it adds.
        """
        resources = self._init_resources(resources)
        text: str
        text, resources = TemplateExporter.from_notebook_node(self, nb, resources, **kw)
        return text, resources

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()
        environment.autoescape = True
        environment.trim_blocks = environment.lstrip_blocks = True
        for name in ("utc", "shown", "duration", "size", "usage"):
            environment.filters[name] = getattr(report_words, name)
        environment.filters["fingerprint"] = fingerprint
        environment.globals["make_page"] = report_page.make_page
        environment.globals["standing"] = report_words.standing
        return environment
