"""Citations: the sentences of an answer, their citation markers and their evidence in passages. Pure functions."""
