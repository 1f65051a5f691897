"""Conversations as their owners see them: listing, reading, rating, deleting. Runs no turn."""
