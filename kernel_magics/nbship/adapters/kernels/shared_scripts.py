"""What runs silently in a process that several jobs share, and in its copies."""

from __future__ import annotations

#: run silently before copies are made: neither nbship's notes nor a cache of fonts, which
#: matplotlib empties in forks, hold a file open
REST = """\
def _rest():
    import sys
    data = sys.modules.get("nbship.faces.attend_data")
    if data is not None:
        data.rest()
    fonts = getattr(sys.modules.get("matplotlib.font_manager"), "_get_font", None)
    if hasattr(fonts, "cache_clear"):
        fonts.cache_clear()
_rest()
"""
#: run silently in a copy: nbship's own notes go on there, for the copy's run
GO_ON = """\
def _go_on(folder, is_new):
    import sys
    data = sys.modules.get("nbship.faces.attend_data")
    if data is not None:
        data.go_on(folder, is_new=is_new)
    notebook = sys.modules.get("nbship.faces.notebook")
    for session in getattr(notebook, "_sessions", ()):
        session.go_on()
_go_on({folder!r}, {is_new!r})
"""
#: the history shows the values that this job was given, where another one's stood
REWRITE = """\
def _rewrite(number, source):
    shell = get_ipython()
    history = shell.history_manager
    earlier = history.input_hist_raw[number]
    history.input_hist_raw[number] = source
    history.input_hist_parsed[number] = shell.transform_cell(source).rstrip("\\n")
    names = ("_i00", "_i", "_ii", "_iii")
    for name in names:
        if getattr(history, name).rstrip("\\n") == earlier:
            setattr(history, name, source)
    shell.user_ns["_i%d" % number] = source
    for name in names[1:]:
        shell.user_ns[name] = getattr(history, name)
_rewrite({number!r}, {source!r})
"""


def hidden(code: str, names: str = "") -> str:
    """Write a statement that leaves no name behind in the notebook."""
    return f"__import__('builtins').exec({code!r}, dict({names}))"
