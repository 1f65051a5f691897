"""What a model is asked for and what it says: its fields in words (`prompts`, the one file that knows dspy), its deltas
in, the fields of its reply out. Knows no turn and no screen."""
