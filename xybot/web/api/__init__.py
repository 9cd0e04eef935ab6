"""`/api/v1`: one module for each topic; `xybot.web.app` lists them all."""
