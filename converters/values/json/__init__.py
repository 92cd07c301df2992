"""Near-JSON in pieces to strict JSON in pieces."""
