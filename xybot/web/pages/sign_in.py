"""The sign-in: the one page that everybody gets to see."""

from __future__ import annotations

import math
from typing import Final

import attrs
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from xybot.web.door import COOKIE, GOOD_FOR, Door
from xybot.web.languages import N_, language_of
from xybot.web.pages.static import FOLDER
from xybot.web.pages.visit import Visit, action, read_form, templates, to
from xybot.web.problems import Problem, not_found

PATH: Final = "/sign-in"
_ASSETS: Final = frozenset({"pico.min.css", "console.css"})
"""What the page itself is made of; everything else is for those who are in."""
_WRONG: Final = N_(
    "令牌不对。第一次启动时显示在终端里；忘了就删除数据目录里的 web.token，再启动一次。"
)
_WAIT: Final = N_("试错太多次，请稍后再试。")


@attrs.frozen
class SignIn:
    """Shows the form, and takes it."""

    door: Door

    async def show(self, request: Request) -> Response:
        """Show the form; who is in already goes on."""
        if await self.door.admit(request) is not None:
            return to("/")
        return self._form(request)

    async def take(self, request: Request) -> Response:
        """Let a browser in that shows a token."""
        _same_site(request)
        who = request.client.host if request.client else ""
        if (seconds := self.door.attempts.wait(who)) > 0:
            refusal = self._form(request, _WAIT, 429)
            refusal.headers["retry-after"] = str(math.ceil(seconds))
            return refusal
        shown = (await read_form(request)).get("token")
        key = self.door.keys.opened_by(shown.strip()) if isinstance(shown, str) else None
        if key is None:
            self.door.attempts.note(who)
            return self._form(request, _WRONG, 401)
        answer: Response = to("/")
        session = await self.door.sign_in(key)
        answer.set_cookie(
            COOKIE,
            session,
            max_age=GOOD_FOR,
            httponly=True,
            samesite="strict",
            secure=self.door.secure,
        )
        return answer

    async def asset(self, request: Request) -> Response:
        """Return a style sheet of the form."""
        name = request.path_params["name"]
        if name not in _ASSETS:
            raise not_found(name)
        return FileResponse(FOLDER / name)

    def _form(self, request: Request, wrong: str = "", status: int = 200) -> HTMLResponse:
        language = language_of(request)
        text = templates(language).get_template("sign_in.html").render(wrong=wrong)
        return HTMLResponse(text, status, headers={"cache-control": "no-store"})


def _same_site(request: Request) -> None:
    """Refuse a form of another site, which would sign somebody in unknowingly."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Problem(403, "csrf", "请从 xybot 的登录页登录 (sign in on the page of xybot)")


@action("/sign-out", "read")
async def sign_out(visit: Visit) -> Response:
    """Forget this browser."""
    if visit.visitor.session is not None:
        await visit.door.sign_out(visit.visitor.session)
    answer = to(PATH)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


PAGES: Final = (sign_out,)
