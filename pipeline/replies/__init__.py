"""What a model says, read: its deltas in, the fields of its reply out. Pure; knows no dspy, no turn and no screen."""
