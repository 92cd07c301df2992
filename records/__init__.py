"""Records: what happened in each exchange, kept for whoever wants to see why. `recorder.py` is told, `stores.py` keep.

May not know: Flask, routes, who may look. Nothing here is in a request's way: what cannot be kept is lost and counted.
"""
