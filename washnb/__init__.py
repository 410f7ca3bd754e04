"""washnb: the wash-runtime host of wasmCloud, in Python, embedded in Jupyter."""
