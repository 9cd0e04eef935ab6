"""The platform over the network: signed calls, the session, one live connection."""
