"""The relay over real sockets, one file for each thing that it does in time."""
