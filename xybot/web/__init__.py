"""The HTTP side: what a browser or a monitor may ask."""
