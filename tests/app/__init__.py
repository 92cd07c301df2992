"""The application over real sockets: what it lets through in both directions, and what it says when it does not."""
