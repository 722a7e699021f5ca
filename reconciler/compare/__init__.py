"""What two readings of a workspace differ in: its tokens, and the rules that they are held against. Pure."""
