"""What an answer's sentences stand on. Pure: texts in, places in texts out."""
