"""The command line: one file a command, which parses, calls and renders. Nothing decides here.

This package itself defines nothing: some commands have the names of builtins.
"""
