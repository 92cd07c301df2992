"""Chat templates: rendering them, where they lie, and what is learned from them."""
