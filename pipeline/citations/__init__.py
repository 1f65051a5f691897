"""What an answer's sentences stand on, and what in them says so. Pure: texts in, places in texts out."""
