"""What refusals have taught, in memory and in a file."""
