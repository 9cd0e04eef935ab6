"""Paid orders, and what is given for them."""
