"""What readers of a workspace are shown: whose artifact it is, opened and checked; and what has drifted.

Nothing here writes, and nothing prints: a `Reader` is told how notes reach the person.
"""
