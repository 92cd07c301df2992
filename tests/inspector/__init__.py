"""The inspector: who may look, and what it shows."""
