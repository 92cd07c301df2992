"""What a model's text means: events, reason codes, expectations, and the search for markers in pieces."""
