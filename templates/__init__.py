"""Chat templates: where they lie, and what they render. What they tell is worked out in `converters/learning/`.

A template is a foreign program. It runs in a child process of its own (sandbox.py) that may use little time and memory.
"""
