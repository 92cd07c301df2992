"""What is counted, timed and traced of exchanges."""
