"""Schemathesis asks the running bot for whatever its own document allows, and for what it forbids.

Left out: the event stream, which never ends (tests/web/test_events_api.py has it); `/ready`, whose
503 is an answer here and no fault; and the check that whatever fits the schema is taken: a cursor
that we never gave, or a regular expression that is none, fits its schema and is refused all the
same, with its path.
"""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from tests.app.program import ended
from tests.app.world import open_world
from tests.web.office import ADMIN

_RUN = (
    "--phases=coverage,fuzzing",
    "--exclude-path=/api/v1/events",
    "--exclude-path=/ready",
    "--exclude-checks=positive_data_acceptance",
    "--max-examples=12",
    "--seed=20261125",
    "--request-timeout=40",
    "--continue-on-failure",
    "--warnings=off",
    "--no-color",
)


async def test_the_api_does_what_its_document_says(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        world.more = {"web": {"listen": "127.0.0.1:0", "token": ADMIN}}
        sim = world.open_account("shop-a")
        async with world.bot() as bot:
            # Off line: what is to be said is queued, and nobody is kept waiting.
            world.platform.faults(sim).refuse_dial(1_000_000)
            world.platform.faults(sim).cut()
            url = next(line for line in bot.lines if "listening" in line).split()[-1]
            command = (
                str(Path(sys.executable).with_name("schemathesis")),
                "run",
                f"{url}/openapi.json",
                f"--header=Authorization: Bearer {ADMIN}",
                *_RUN,
            )
            done = await trio.to_thread.run_sync(lambda: ended(*command, cwd=tmp_path, within=300))
            assert done.returncode == 0, done.stdout
            assert "38" in done.stdout.partition("Tested: ")[2][:3], done.stdout
            assert "出错" not in bot.output
            await bot.stop()
