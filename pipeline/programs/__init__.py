"""DSPy programs, a file each; `registry` lists them."""
