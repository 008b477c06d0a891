""".mlops/ on a file system."""
