"""`make faults`: backends that fail in every way and phase, before the running proxy (see `__main__.py`)."""
