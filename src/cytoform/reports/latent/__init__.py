"""A look at the space of codes."""
