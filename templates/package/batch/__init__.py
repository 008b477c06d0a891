"""``python -m PACKAGE predict``: files of inputs in, files of answers out."""
