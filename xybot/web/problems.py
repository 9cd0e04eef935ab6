"""What a request gets when it gets no answer: one shape for all errors of the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from xybot.errors import XybotError

NO_SCOPE: Final = "这个令牌没有权限做这件事 (this token may not do that)"


@attrs.frozen(kw_only=True)
class FieldProblem:
    """What is wrong with a part of a request."""

    path: str
    """`body.text`, `query.limit`, `path.account`, `header.idempotency-key`."""
    message: str


@attrs.frozen(kw_only=True)
class Details:
    """What is wrong, in a word for programs and in words for people."""

    code: str
    message: str
    fields: tuple[FieldProblem, ...] = ()


@attrs.frozen(kw_only=True)
class ErrorBody:
    """The body of every error of the API."""

    error: Details


class Problem(XybotError):
    """A request that cannot be granted; becomes an answer with this status."""

    def __init__(
        self, status: int, code: str, message: str, *, fields: Iterable[FieldProblem] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.details = Details(code=code, message=message, fields=tuple(fields))

    @property
    def words(self) -> tuple[str, ...]:
        """What is wrong, for people: each wrong field, or else the whole."""
        return tuple(field.message for field in self.details.fields) or (self.details.message,)


def not_found(what: str) -> Problem:
    """Return the error of a thing that is not there."""
    return Problem(404, "not_found", f"{what}: 没有找到 (not found)")


def misfit(path: str, message: str) -> Problem:
    """Return the error of a request with one wrong field."""
    return misfits([FieldProblem(path=path, message=message)])


def misfits(fields: Iterable[FieldProblem]) -> Problem:
    """Return the error of a request with wrong fields."""
    return Problem(422, "invalid", "请求里有不对的内容 (the request is not valid)", fields=fields)
