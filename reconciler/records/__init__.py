"""Records: what each run did, in a form that can be chained, signed and read back years later."""
