"""Running turns: start, follow, stop, recovery, admission and estimates."""
