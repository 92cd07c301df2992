"""What reading costs, measured. Claims about speed rest on a run of this."""
