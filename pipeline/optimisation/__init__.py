"""Turns questions or ratings into a better program, by DSPy's optimisers in a process of their own."""
