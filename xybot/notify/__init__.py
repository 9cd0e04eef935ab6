"""Telling the seller, and their programs, what happened."""
