"""A table read from TOML -> `Config`, by cattrs, as strictly as TOML itself has types."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeAlias, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.errors import (
    AttributeValidationNote,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, override

from xybot.config import checks
from xybot.config.answering import Texts, texts
from xybot.config.files import Merged
from xybot.config.problems import KeyPath, Misfit, unknown_key, wrong_type
from xybot.config.schema import Config
from xybot.config.secrets import SecretSource, read_source
from xybot.errors import ConfigError
from xybot.model import AccountId, ItemId

Hook: TypeAlias = Callable[[object, object], object]

LOADERS_OWN = ("where", "line", "texts")
"""The fields that the loader fills in; in TOML they are unknown keys."""


def structure(merged: Merged) -> Config:
    """Read the merged table.

    Raises:
      ConfigError: all that does not fit the schema, each with its file and key.
    """
    try:
        return _CONVERTER.structure(merged.table, Config)
    except ClassValidationError as exc:
        problems = [merged.place(path).problem(text) for path, text in _problems(exc, ())]
    raise ConfigError("; ".join(problems))


def _problems(exc: BaseException, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Yield (key path, words) for every leaf of what cattrs raised; others' bugs travel."""
    match exc:
        case ClassValidationError() | IterableValidationError():
            yield from _group_problems(exc, path)
        case ForbiddenExtraKeysError():
            known = [a.name for a in attrs.fields(exc.cl) if a.name not in LOADERS_OWN]
            for key in sorted(exc.extra_fields):
                yield (*path, key), unknown_key(key, known)
        case KeyError():
            yield path, "缺少这一项 (missing)"
        case Misfit():
            yield (*path, exc.key) if exc.key else path, str(exc)
        case _:
            raise exc


def _group_problems(
    exc: ClassValidationError | IterableValidationError, path: KeyPath
) -> Iterator[tuple[KeyPath, str]]:
    inside, here = exc.group_exceptions()
    for leaf, note in inside:
        step = note.index if isinstance(note, IterableValidationNote) else note.name
        yield from _problems(leaf, (*path, step))
    for leaf in here:
        yield from _problems(leaf, path)


def _text(value: object, _: object) -> str:
    if isinstance(value, str):
        return value
    raise wrong_type("字符串（加引号）", "a string", value)


def _boolean(value: object, _: object) -> bool:
    if isinstance(value, bool):
        return value
    raise wrong_type(" true 或 false（不加引号）", "true or false", value, show=True)


def _integer(value: object, _: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise wrong_type("整数", "an integer", value, show=True)


def _number(value: object, _: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise wrong_type("数字", "a number", value, show=True)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Misfit("应为有限的数字 (want a finite number)")
    return number


def _account_id(value: object, _: object) -> AccountId:
    found = _text(value, None)
    checks.account_id(found)
    return AccountId(found)


def _item_id(value: object, _: object) -> ItemId:
    """Take integers too: an item's id looks like one."""
    found = value if isinstance(value, str) else str(_integer(value, None))
    checks.not_blank(found)
    checks.item_id(found.strip())
    return ItemId(found.strip())


def _choice(kind: object) -> Hook:
    """Read one of a few words."""
    names = ", ".join(get_args(kind))

    def read(value: object, _: object) -> object:
        if _text(value, None) in get_args(kind):
            return value
        raise Misfit(f"只能是 {names} 之一 (want one of {names})")

    return read


def _array(kind: type, converter: Converter) -> Hook:
    """Read an array; a lone string is not an array of its letters."""
    build = homogenous_tuple_structure_factory(kind, converter)

    def read(value: object, _: object) -> object:
        if isinstance(value, list):
            return build(value, kind)
        raise wrong_type("数组（方括号）", "an array", value)

    return read


def _texts(converter: Converter) -> Hook:
    """Read a text, or an array of them."""
    read_array = _array(tuple[str, ...], converter)

    def read(value: object, _: object) -> object:
        if isinstance(value, str):
            return texts(value)
        if isinstance(value, list):
            return read_array(value, None)
        raise wrong_type("字符串或数组", "a string or an array of strings", value)

    return read


def _table(cls: type[attrs.AttrsInstance], converter: Converter) -> Hook:
    """Read a table whose keys are the fields of `cls` and nothing else."""
    overrides = {
        field.name: override(
            omit=field.name in LOADERS_OWN or None, struct_hook=_checked(field, converter)
        )
        for field in attrs.fields(attrs.resolve_types(cls))
    }
    build = make_dict_structure_fn(
        cls,
        converter,
        _cattrs_forbid_extra_keys=True,
        **overrides,  # type: ignore[arg-type]  # mypy tries them on the named arguments too
    )

    def read(value: object, _: object) -> object:
        if isinstance(value, dict):
            return build(value, cls)
        raise wrong_type("表（方括号标题）", "a table", value)

    return read


def _tables(kind: type, converter: Converter) -> Hook:
    """Read a table of tables, whose keys are names that the seller chose."""
    name, cls = get_args(kind)
    read_name = converter.get_structure_hook(name)
    read_one = converter.get_structure_hook(cls)

    def read(value: object, _: object) -> object:
        if not isinstance(value, dict):
            raise wrong_type("表（方括号标题）", "a table", value)
        found, wrong = {}, []
        for key, inner in value.items():
            try:
                found[read_name(key, name)] = read_one(inner, cls)
            except (ClassValidationError, Misfit) as exc:
                exc.add_note(AttributeValidationNote(f"at {key}", key, cls))
                wrong.append(exc)
        if wrong:
            raise ClassValidationError("tables", wrong, cls)
        return found

    return read


def _checked(field: attrs.Attribute[object], converter: Converter) -> Hook | None:
    """Check a field as it is read, so that one bad value does not hide the next."""
    validate = field.validator
    if validate is None:
        return None
    read = converter.get_structure_hook(field.type)

    def read_checked(value: object, kind: object) -> object:
        found = read(value, kind)
        validate(None, field, found)
        return found

    return read_checked


def made_by(origin: object) -> Callable[[object], bool]:
    """Recognize `origin[...]`, such as tuple[str, ...]."""
    return lambda kind: get_origin(kind) is origin


def _converter() -> Converter:
    converter = Converter()
    readers: tuple[tuple[object, Hook], ...] = (
        (str, _text),
        (bool, _boolean),
        (int, _integer),
        (float, _number),
        (AccountId, _account_id),
        (ItemId, _item_id),
        (SecretSource, read_source),
        (SecretSource | None, read_source),
    )
    for kind, reader in readers:
        converter.register_structure_hook(kind, reader)
    factory = converter.register_structure_hook_factory
    factory(made_by(Literal), _choice)
    factory(made_by(tuple), lambda kind: _array(kind, converter))
    converter.register_structure_hook(Texts, _texts(converter))
    factory(made_by(Mapping), lambda kind: _tables(kind, converter))
    factory(attrs.has, lambda cls: _table(cls, converter))
    return converter


_CONVERTER = _converter()
