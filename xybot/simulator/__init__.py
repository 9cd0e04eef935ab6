"""A small Xianyu that anyone can start, on loopback."""
