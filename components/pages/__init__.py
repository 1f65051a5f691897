"""Pages: the layout of their components, and the handler of each event."""
