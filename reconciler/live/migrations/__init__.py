"""How a store is made, and brought up from one version of the tool to the next."""
