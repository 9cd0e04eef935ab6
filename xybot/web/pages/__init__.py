"""The console: pages of HTML that a seller opens in a browser."""
