"""Python literals and the arguments of Python calls, written as JSON. Nothing is evaluated."""
