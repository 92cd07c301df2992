"""A demo backend that writes tool calls as text, and a demonstration that runs the proxy in front of it.

It plays a third-party server: it talks to the proxy over HTTP only and imports nothing of it.
"""
