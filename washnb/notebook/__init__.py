"""Where Jupyter meets the host."""
