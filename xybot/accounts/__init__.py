"""A seller's account, alive: connect, receive, debounce, send, back off."""
