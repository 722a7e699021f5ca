"""git, by the program: repositories are read and pushed to as the machine's own git does it."""
