"""`make attack`: hostile clients and broken backends against a running proxy, with a victim beside them (defects C)."""
