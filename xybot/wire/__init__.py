"""The platform's language: bytes in, values out; no I/O, no clock, no chance."""
