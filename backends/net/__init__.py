"""The network: requests as bytes to a backend, responses as bytes back. The only package that opens sockets."""
