"""Answers buyers on Xianyu (闲鱼) for many seller accounts at once."""

__version__ = "0.1.0"
