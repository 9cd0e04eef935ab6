"""Requests as values: strict about what was sent, and telling all that is wrong at once.

What a class says of its fields holds here and in the OpenAPI document alike: types, and the
limits of `Annotated[…, msgspec.Meta(…)]`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sized
from itertools import islice
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, get_args, get_origin

import attrs
import msgspec
from cattrs import Converter
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.errors import (
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn

from xybot.config.problems import Misfit, unknown_key, wrong_type
from xybot.config.structure import made_by
from xybot.web.problems import FieldProblem, Problem, misfits

T = TypeVar("T")
Hook: TypeAlias = Callable[[Any, Any], Any]

NOT_BLANK = r"\S"
"""A pattern: there is something to be read."""
_MOST_TOLD = 20
"""Wrong fields that are told; telling thousands would keep the accounts waiting."""
_TRUE = ("1", "true", "yes")
_FALSE = ("0", "false", "no", "")


def json_body(content: bytes, cls: type[T]) -> T:
    """Read a body of JSON.

    Raises:
      Problem: 400 when it is none, 422 with every wrong field.
    """
    try:
        found = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        raise Problem(400, "bad_json", f"不是 JSON (not JSON): {exc}") from None
    return _structured(_JSON, found, cls, "body")


def structured(value: object, cls: type[T]) -> T:
    """Read what was JSON, or might have been.

    Raises:
      Problem: 422 with every wrong field.
    """
    return _structured(_JSON, value, cls, "body")


def texts(given: Mapping[str, str], cls: type[T], where: str) -> T:
    """Read what comes as text: a query, or the variables of a path.

    Raises:
      Problem: 422 with every wrong field.
    """
    return _structured(_TEXT, dict(given), cls, where)


def _structured(converter: Converter, value: object, cls: type[T], where: str) -> T:
    try:
        return converter.structure(value, cls)
    except (ClassValidationError, IterableValidationError) as exc:
        raise misfits(islice(_problems(exc, where), _MOST_TOLD)) from None
    except Misfit as exc:
        raise misfits([FieldProblem(path=where, message=str(exc))]) from None


def _problems(exc: BaseException, path: str) -> Iterator[FieldProblem]:
    match exc:
        case ClassValidationError() | IterableValidationError():
            inside, here = exc.group_exceptions()
            for leaf, note in inside:
                if isinstance(note, IterableValidationNote):
                    yield from _problems(leaf, f"{path}[{note.index}]")
                else:
                    yield from _problems(leaf, f"{path}.{note.name}")
            for leaf in here:
                yield from _problems(leaf, path)
        case ForbiddenExtraKeysError():
            known = [field.name for field in attrs.fields(exc.cl)]
            for key in sorted(exc.extra_fields):
                yield FieldProblem(path=f"{path}.{key}", message=unknown_key(key, known))
        case KeyError():
            name = exc.args[0] if exc.args else ""
            at = path if path.endswith(f".{name}") else f"{path}.{name}"
            yield FieldProblem(path=at, message="缺少这一项 (missing)")
        case Misfit():
            yield FieldProblem(path=path, message=str(exc))
        case _:
            raise exc


# What JSON has types for.


def _text(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise wrong_type("字符串", "a string", value)
    return value


def _boolean(value: object, _: object) -> bool:
    if not isinstance(value, bool):
        raise wrong_type(" true 或 false", "true or false", value)
    return value


def _integer(value: object, _: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of numbers.
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type("整数", "an integer", value)
    return value


def _number(value: object, _: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise wrong_type("数字", "a number", value)
    if not math.isfinite(value):
        raise Misfit("应为有限的数字 (want a finite number)")
    return float(value)


# What a query has: texts.


def _boolean_text(value: object, _: object) -> bool:
    word = str(value).strip().lower()
    if word not in (*_TRUE, *_FALSE):
        raise Misfit("应为 true 或 false (want true or false)")
    return word in _TRUE


def _integer_text(value: object, _: object) -> int:
    if re.fullmatch(r"[+-]?[0-9]{1,18}", str(value)) is None:
        raise Misfit("应为整数 (want an integer)")
    return int(str(value))


def _number_text(value: object, _: object) -> float:
    try:
        return _number(float(str(value)), None)
    except ValueError:
        raise Misfit("应为数字 (want a number)") from None


# What both have in common.


def _choice(kind: object) -> Hook:
    words = get_args(kind)

    def read(value: object, _: object) -> object:
        if value in words:
            return value
        raise Misfit(f"只能是 {', '.join(words)} 之一 (want one of these)")

    return read


def _optional(kind: object, converter: Converter) -> Hook:
    (inner,) = (each for each in get_args(kind) if each is not type(None))
    read_inner = converter.get_structure_hook(inner)
    return lambda value, _: None if value is None else read_inner(value, inner)


def _array(kind: Any, converter: Converter) -> Hook:  # noqa: ANN401  # a type
    build = homogenous_tuple_structure_factory(kind, converter)

    def read(value: object, _: object) -> object:
        if not isinstance(value, list):
            raise wrong_type("数组", "an array", value)
        return build(value, kind)

    return read


def _table(cls: Any, converter: Converter) -> Hook:  # noqa: ANN401  # a type
    build = make_dict_structure_fn(
        attrs.resolve_types(cls, include_extras=True), converter, _cattrs_forbid_extra_keys=True
    )

    def read(value: object, _: object) -> object:
        if not isinstance(value, dict):
            raise wrong_type("对象", "an object", value)
        return build(value, cls)

    return read


def _limited(kind: object, converter: Converter) -> Hook:
    inner, *notes = get_args(kind)
    limits = [note for note in notes if isinstance(note, msgspec.Meta)]
    read_inner = converter.get_structure_hook(inner)

    def read(value: object, _: object) -> object:
        if isinstance(value, list):
            for limit in limits:
                _check_length(value, limit)  # Before thousands of wrong ones are looked at.
        found = read_inner(value, inner)
        for limit in limits:
            _check(found, limit)
        return found

    return read


def _check(value: Any, limit: msgspec.Meta) -> None:  # noqa: ANN401  # whatever was declared
    if limit.ge is not None and value < limit.ge:
        raise Misfit(f"不能小于 {limit.ge} (must be at least {limit.ge})")
    if limit.le is not None and value > limit.le:
        raise Misfit(f"不能大于 {limit.le} (must be at most {limit.le})")
    _check_length(value, limit)
    # In Python, `$` also matches before a line's end.
    if limit.pattern is not None and not re.search(re.sub(r"\$$", r"\\Z", limit.pattern), value):
        raise Misfit(f"不符合格式 (does not match) {limit.pattern}")


def _check_length(value: Sized, limit: msgspec.Meta) -> None:
    if limit.min_length is not None and len(value) < limit.min_length:
        raise Misfit(
            "不能为空 (must not be empty)" if limit.min_length == 1 else "太短 (too short)"
        )
    if limit.max_length is not None and len(value) > limit.max_length:
        raise Misfit(f"不能超过 {limit.max_length} (at most {limit.max_length} of them)")


def _is_optional(kind: object) -> bool:
    arguments = get_args(kind)
    return get_origin(kind) is not Annotated and type(None) in arguments and len(arguments) == 2


def _converter(**readers: Hook) -> Converter:
    converter = Converter()
    for kind in (str, bool, int, float):
        converter.register_structure_hook(kind, readers[kind.__name__])
    factory = converter.register_structure_hook_factory
    factory(made_by(Literal), _choice)
    factory(made_by(tuple), lambda kind: _array(kind, converter))
    factory(_is_optional, lambda kind: _optional(kind, converter))
    factory(attrs.has, lambda kind: _table(kind, converter))
    factory(made_by(Annotated), lambda kind: _limited(kind, converter))
    return converter


_JSON = _converter(str=_text, bool=_boolean, int=_integer, float=_number)
_TEXT = _converter(str=_text, bool=_boolean_text, int=_integer_text, float=_number_text)
