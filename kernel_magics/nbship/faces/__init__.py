"""What others call: magics, command, papermill engine, exporter, processes."""
