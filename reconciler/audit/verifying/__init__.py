"""What an auditor checks: each file here judges one thing, from values alone, and yields findings."""
