"""The Jupyter server extension of nbship."""
