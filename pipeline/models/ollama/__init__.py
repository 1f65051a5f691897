"""Ollama by its own API: finds its models, asks them, and gives each prompt the room that it needs."""
