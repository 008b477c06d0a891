"""``python -m PACKAGE verify``: the recorded calls again, compared and, if asked, watched."""
