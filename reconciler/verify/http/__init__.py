"""The check over HTTP: handlers that turn a request into an answer, and the server around them."""
