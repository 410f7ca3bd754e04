"""WASI 0.2 in Python, one file per package."""
