"""The arguments of a call: read in whatever spelling a model uses, written as strict JSON while they come."""
