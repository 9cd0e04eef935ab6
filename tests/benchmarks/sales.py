"""How quickly a burst of paid orders gets its codes, and that no code is given twice."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from botfolder import Where, bot_folder
from children import open_bot, open_script, seconds_of
from report import Add, Plan, Row, progress

_ACCOUNT: Final = "bot"
_CHATS: Final = 200
_BATCH: Final = "bench"
_GOODS: Final[dict[str, Any]] = {
    "name": "code",
    "title": "/./",
    "spec": "*",
    "kind": "codes",
    "batch": _BATCH,
    "text": "{codes}",
}


async def measure_sales(plan: Plan, add: Add) -> None:
    """Sell as many codes as there are, all of them paid at once."""
    async with open_script("crowd.py") as crowd:
        ends = await crowd.told()
        logins = await crowd.ask("open", accounts=[_ACCOUNT], chats=_CHATS)
        where = Where(**ends, cookies={_ACCOUNT: logins[_ACCOUNT]["cookie"]})
        with bot_folder(where, goods=[_GOODS]) as folder:
            await _import(folder, plan.orders)
            async with open_bot(folder) as bot:
                await crowd.ask("wait_on_line", accounts=[_ACCOUNT], within=20)
                before = bot.cpu()
                told = await crowd.ask("sell", account=_ACCOUNT, count=plan.orders)
                cpu = bot.cpu() - before
    progress(f"{told['shipped']} orders in {told['seconds']:.1f} s")
    each = f"CPU {1000 * cpu / max(told['shipped'], 1):.1f} ms each"
    rate = told["shipped"] / told["seconds"]
    add(Row("orders/s, paid to confirmed", f"{rate:.0f}", f"{plan.orders} at once; {each}"))
    lost, double = plan.orders - told["codes"], told["said"] - told["codes"]
    said = f"{told['codes']} of {plan.orders}"
    add(Row("codes at their buyers", said, f"lost {lost}, double {double}"))


async def _import(folder: Path, count: int) -> None:
    codes = folder / "codes.txt"
    codes.write_text("".join(f"CODE-{n:06}\n" for n in range(count)), "utf-8")
    words = ["codes", "import", _BATCH, str(codes), "--config", str(folder / "bot.toml")]
    await seconds_of([sys.executable, "-m", "xybot", *words])
