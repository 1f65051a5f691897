"""Experiments: question sets, scores of answers, intervals, and evaluations of a setting on many questions."""
