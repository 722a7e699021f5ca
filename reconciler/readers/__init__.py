"""What readers of a workspace are shown: whose artifact it is, opened and checked; what has drifted; what to
send for a token, and what a verifier says of one.

Nothing here writes, and nothing prints: a `Reader` is told how notes reach the person.
"""
