"""Sphinx: Markdown pages by MyST."""

project = "nbship"
author = "the nbship authors"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "nbship"
myst_heading_anchors = 3
exclude_patterns = ["_build"]
