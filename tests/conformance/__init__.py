"""`python -m tests.conformance`: the CanIToolCall corpus through the running proxy (see `__main__.py`)."""
