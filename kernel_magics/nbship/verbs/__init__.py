"""The one parser of ``%mlops`` and ``mlops``, one module per stage of the path."""
