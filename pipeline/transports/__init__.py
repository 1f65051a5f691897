"""Adapters to the libraries that speak to providers: one file for each library."""
