"""Further questions to a model about an answer that has ended: what a sentence stands on, and whether it is right."""
