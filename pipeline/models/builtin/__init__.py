"""The built-in model, which answers with quotes from the passages and needs no network."""
