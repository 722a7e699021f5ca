"""The check of a presented token: as a library, and as an HTTP service."""
