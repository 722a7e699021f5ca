"""One page for a review meeting: what there is, who can do what, what happened, what is wrong. Pure."""
