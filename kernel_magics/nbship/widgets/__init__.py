"""anywidget views, each with an HTML and a text fallback."""
