"""From the path of bot.toml to a `Config`, the cookies it needs, and what to watch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import attrs

from xybot.config import ai, assortment, follow_ups, haggling, pictures, web
from xybot.config.answering import Rule
from xybot.config.cookies import read_cookies
from xybot.config.files import EXTRA_FOLDER, ITEM_FOLDER, Merged, extra_files, read_merged
from xybot.config.goods import Goods
from xybot.config.problems import KeyPath, Misfit, Place
from xybot.config.schema import AccountConfig, Config, Notify
from xybot.config.secrets import FromFile, SecretSource, settle
from xybot.config.structure import structure
from xybot.errors import ConfigError
from xybot.model import AccountId
from xybot.secret import Secret


@attrs.frozen(kw_only=True)
class Loaded:
    """A configuration that can be run."""

    config: Config
    folder: Path
    """Where bot.toml is; relative paths in it start here."""
    cookies: Mapping[AccountId, Secret]
    """Of every enabled account; empty while the simulator is on, which has its own."""
    warnings: tuple[str, ...]
    files: tuple[Path, ...]
    """All that was read or looked for: when one of them changes, load again."""
    origins: Mapping[KeyPath, Place] = attrs.field(factory=dict, repr=False)
    """Where each setting, or entry of an array, was written; others have their defaults."""

    @property
    def database(self) -> Path:
        """Where everything is kept.

        The simulator has a database of its own: what its buyers said must never be answered on
        the real platform.
        """
        name = "simulator.db" if self.config.simulator.enabled else "xybot.db"
        return self.folder / self.config.data / name


def load(path: Path, *, instead: Mapping[Path, str] = MappingProxyType({})) -> Loaded:
    """Read bot.toml, and bot.d/*.toml and bot.d/items/*.toml beside it.

    Args:
      path: of bot.toml.
      instead: files of bot.d, and what is taken for their text: the settings as they would be.

    Raises:
      ConfigError: one line with every problem found; it names files and keys, never secrets.
    """
    path = path.absolute()
    folder = path.parent / EXTRA_FOLDER
    extras = tuple(sorted({*extra_files(folder), *instead}))
    items = extra_files(folder / ITEM_FOLDER)
    merged = read_merged(path, extras, items, instead)
    config = _placed(structure(merged), merged, path.parent)
    cookies, useless = read_cookies(config, merged)
    if problems := [*_problems(config, merged), *useless]:
        raise ConfigError("; ".join(problems))
    secrets = tuple(_secret_files(config))
    shown = pictures.files((*config.rules, *config.goods))
    return Loaded(
        config=config,
        folder=path.parent,
        cookies=cookies,
        warnings=(*_warnings(config, merged), *filter(None, (x.warning() for x in secrets))),
        files=(
            *(path, folder, *extras, folder / ITEM_FOLDER, *items),
            *(ai.texts_of(config.ai, path.parent) if config.ai else ()),
            *shown,
            *(x.path for x in secrets),
        ),
        origins=merged.origins,
    )


def _problems(config: Config, merged: Merged) -> Iterator[str]:
    """Yield what does not fit together, or names what is not there."""
    yield from _same_ids(config, merged)
    yield from _no_model(config, merged)
    yield from pictures.missing((*config.rules, *config.goods))
    yield from haggling.misfits(config, merged)
    known = {account.id for account in config.accounts}
    yield from assortment.misfits(config.goods, known, merged)
    yield from follow_ups.misfits(config.follow_ups, known, merged)


def _placed(config: Config, merged: Merged, folder: Path) -> Config:
    """Tell rules and secrets where they were written."""

    def account(n: int, account: AccountConfig) -> AccountConfig:
        if account.cookie is None:
            return account
        place = merged.place(("accounts", n, "cookie"))
        return attrs.evolve(account, cookie=settle(account.cookie, place, folder))

    def notify(n: int, notify: Notify) -> Notify:
        place = merged.place(("notify", n, "url"))
        return attrs.evolve(notify, url=settle(notify.url, place, folder))

    webhook = config.webhook
    if webhook is not None and webhook.token is not None:
        token = settle(webhook.token, merged.place(("webhook", "token")), folder)
        webhook = attrs.evolve(webhook, token=token)
    return attrs.evolve(
        config,
        web=config.web and web.placed(config.web, merged, folder),
        webhook=webhook,
        accounts=tuple(account(n, x) for n, x in enumerate(config.accounts)),
        rules=tuple(_placed_rule(n, x, merged, folder) for n, x in enumerate(config.rules)),
        items={
            id_: attrs.evolve(item, where=str(merged.place(("items", id_))))
            for id_, item in config.items.items()
        },
        notify=tuple(notify(n, x) for n, x in enumerate(config.notify)),
        hooks=tuple(
            attrs.evolve(x, secret=settle(x.secret, merged.place(("hooks", n, "secret")), folder))
            for n, x in enumerate(config.hooks)
        ),
        follow_ups=tuple(
            attrs.evolve(x, where=_counted(merged.place(("follow_ups", n))))
            for n, x in enumerate(config.follow_ups)
        ),
        goods=tuple(_placed_goods(n, x, merged, folder) for n, x in enumerate(config.goods)),
        ai=_with_texts(config, merged, folder),
    )


def _placed_rule(n: int, rule: Rule, merged: Merged, folder: Path) -> Rule:
    where = _counted(merged.place(("rules", n)))
    return pictures.settle(attrs.evolve(rule, where=where, line=merged.line(n)), folder)


def _placed_goods(n: int, goods: Goods, merged: Merged, folder: Path) -> Goods:
    goods = attrs.evolve(goods, where=_counted(merged.place(("goods", n))))
    if goods.supplier and goods.supplier.key:
        place = merged.place(("goods", n, "supplier", "key"))
        key = settle(goods.supplier.key, place, folder)
        goods = attrs.evolve(goods, supplier=attrs.evolve(goods.supplier, key=key))
    return pictures.settle(goods, folder)


def _with_texts(config: Config, merged: Merged, folder: Path) -> ai.Ai | None:
    try:
        return config.ai and ai.placed(config.ai, merged, folder)
    except Misfit as exc:
        place = merged.place(("ai", exc.key) if exc.key else ("ai",))
        raise ConfigError(place.problem(str(exc))) from None


def _no_model(config: Config, merged: Merged) -> Iterator[str]:
    if config.ai and not config.ai.url and not config.simulator.enabled:
        yield merged.place(("ai", "url")).problem(
            "缺少模型的网址，例如 https://…/v1 (missing: the base url of a model)"
        )


def _counted(place: Place) -> str:
    """Name an entry as in the file, and by its number as people count."""
    nth = place.path[1] if len(place.path) > 1 else 0
    return f"{place}（第 {int(nth) + 1} 条）"


def _same_ids(config: Config, merged: Merged) -> Iterator[str]:
    first: dict[AccountId, int] = {}
    for n, account in enumerate(config.accounts):
        if (other := first.setdefault(account.id, n)) != n:
            where = merged.place(("accounts", other))
            yield merged.place(("accounts", n, "id")).problem(
                f'账号名 "{account.id}" 与 {where} 重复 (two accounts with this id)'
            )


def _secret_files(config: Config) -> Iterator[FromFile]:
    """Yield the files of the secrets that are in use."""
    accounts = () if config.simulator.enabled else config.accounts
    sources: list[SecretSource | None] = [x.cookie for x in accounts if x.enabled]
    sources += [config.web.token, *(x.token for x in config.web.tokens)] if config.web else []
    sources += [hook.secret for hook in config.hooks]
    sources += [notify.url for notify in config.notify]
    sources += [config.ai.key] if config.ai else []
    sources += [config.webhook.token] if config.webhook else []
    sources += [goods.supplier.key for goods in config.goods if goods.supplier]
    yield from (source for source in sources if isinstance(source, FromFile))


def _warnings(config: Config, merged: Merged) -> Iterator[str]:
    """Yield what is allowed and yet hardly meant."""
    if not any(account.enabled for account in config.accounts):
        yield f"{merged.main}: 没有启用的账号 (no account is enabled)"
    known = {account.id for account in config.accounts}
    for n, rule in enumerate(config.rules):
        for name in rule.accounts:
            if name not in known:
                yield merged.place(("rules", n, "accounts")).problem(
                    f'没有叫 "{name}" 的账号 (no account has this id)'
                )
