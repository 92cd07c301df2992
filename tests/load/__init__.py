"""`make load` and `make soak`: many streams at once, each checked byte for byte, and for a long time."""
