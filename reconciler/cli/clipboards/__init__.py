"""The clipboard of whoever sits at this machine: `programs` and `terminal` reach it, `loan` takes back what
was lent to it."""
