"""A stand-in backend that writes tool calls as text, and the demonstration that puts the proxy before it.

The room talks to the proxy over HTTP only and imports nothing of it: it plays somebody else's server.
"""
