"""Commands that stand beside the bot: decode, replay, init."""
