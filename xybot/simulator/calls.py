"""What calls of the gateway are answered, by whichever part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

SUCCESS: Final = "SUCCESS::调用成功"


@attrs.frozen(kw_only=True)
class Result:
    """What a call is answered."""

    ret: tuple[str, ...] = (SUCCESS,)
    data: Mapping[str, Any] = attrs.Factory(dict)
    cookies: Mapping[str, str] = attrs.Factory(dict)
