"""What a class says of its fields: the text under each, which Python itself does not keep."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Mapping


@functools.cache
def texts_of(cls: type) -> Mapping[str, str]:
    """Return the text of each field that has one, by its name."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    name = None
    for node in tree.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=target)):
                name = target
            case ast.Expr(value=ast.Constant(value=str(text))) if name is not None:
                found[name], name = inspect.cleandoc(text), None
            case _:
                name = None
    return found
