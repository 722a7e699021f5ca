"""Tests of sealed artifacts, most of them against the real sops program."""
