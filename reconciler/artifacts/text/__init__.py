"""The three ways in which SOPS writes a tree down: YAML, JSON and dotenv."""
