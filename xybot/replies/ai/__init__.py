"""Replies of a model, within its scope, its facts and its budget."""

from xybot.replies.ai.source import Ai, ai_source

__all__ = ["Ai", "ai_source"]
