"""API tokens as code: specs in git, a plan, an apply, and secrets that leave sealed."""

__version__ = "0.1.0"
