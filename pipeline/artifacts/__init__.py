"""Artifacts: the parts of an answer that are of use by themselves, as code, tables, formulas and documents."""
