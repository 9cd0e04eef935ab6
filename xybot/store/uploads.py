"""Pictures that the platform already has, by what is in their files, for each account."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from xybot.model import AccountId, Image
from xybot.store.codec import content_json
from xybot.store.database import Database
from xybot.store.schema import outbox, uploads


def take(db: Database, account: AccountId, digest: str, uuid: str) -> Image | None:
    """Return the picture of a file, if it was uploaded before; it becomes what `uuid` says."""
    mine = (uploads.c.account == account, uploads.c.digest == digest)
    row = db.execute(sa.select(uploads).where(*mine)).one_or_none()
    if row is None:
        return None
    image = Image(row.url, row.width, row.height)
    _say(db, account, uuid, image)
    return image


def keep(db: Database, account: AccountId, digest: str, image: Image, *, now: int) -> None:
    """Keep where the picture of a file is."""
    values = {
        "url": image.url,
        "width": image.width,
        "height": image.height,
        "uploaded_at": now,
    }
    statement = insert(uploads).values(account=account, digest=digest, **values)
    db.execute(statement.on_conflict_do_update(index_elements=["account", "digest"], set_=values))


def _say(db: Database, account: AccountId, uuid: str, image: Image) -> None:
    # By what it says it is known again, in its echo and in its conversation.
    mine = (outbox.c.account == account, outbox.c.uuid == uuid)
    db.execute(sa.update(outbox).where(*mine).values(content_json=content_json(image)))
