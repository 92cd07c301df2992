"""The stages behind detection: filters on events, in the order in which pipeline.py puts them.

Each has `feed(events)` and `finish(end)`, and says in its first lines what it may hold. None reads markup, but for
`quoting`, which helps detection to tell markup from a quotation of it.
"""
