"""The network: bytes and statuses to a backend and back. The only room that opens sockets."""
