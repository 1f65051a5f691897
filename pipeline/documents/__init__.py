"""Visitors' documents: their files, the quota of storage, and the shared folder."""
