"""Language models: the catalogue, the calls, and the faults of their providers."""
