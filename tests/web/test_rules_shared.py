"""The rules of the console beside those of files, and changed by several people at once."""

from __future__ import annotations

import trio

from tests.web.office import Office, errors


async def test_rules_that_are_added_at_the_same_moment_are_all_kept(
    autojump_clock, office: Office
) -> None:
    async def add(n: int) -> None:
        answer = await office.post("/api/v1/rules", {"keywords": [f"词{n}"], "reply": ["好"]})
        assert (answer.status_code, answer.json()["keywords"]) == (201, [f"词{n}"])

    async with trio.open_nursery() as nursery:
        for n in range(5):
            nursery.start_soon(add, n)
    found = (await office.get("/api/v1/rules")).json()["items"]
    assert {each["keywords"][0] for each in found} >= {f"词{n}" for n in range(5)}


async def test_rules_that_are_removed_at_the_same_moment_are_all_gone(
    autojump_clock, office: Office
) -> None:
    for n in range(5):
        await office.post("/api/v1/rules", {"keywords": [f"词{n}"], "reply": ["好"]})
    found = (await office.get("/api/v1/rules")).json()["items"]
    async with trio.open_nursery() as nursery:
        for each in found[1::2]:
            nursery.start_soon(office.ask, "DELETE", f"/api/v1/rules/{each['id']}")
    left = (await office.get("/api/v1/rules")).json()["items"]
    assert [each["keywords"] for each in left] == [each["keywords"] for each in found[::2]]


async def test_the_answer_to_a_new_rule_is_that_rule_wherever_files_stand(
    autojump_clock, office: Office
) -> None:
    (office.folder / "bot.d").mkdir()
    later = office.folder / "bot.d" / "zz.toml"
    later.write_text('[[rules]]\nkeywords = ["zz"]\nreply = "zz"\n', encoding="utf-8")
    answer = await office.post("/api/v1/rules", {"keywords": ["新"], "reply": ["好"]})
    assert (answer.json()["keywords"], answer.json()["own"]) == (["新"], True)


async def test_a_rule_of_bot_toml_is_not_the_consoles_though_the_console_has_its_twin(
    autojump_clock, office: Office
) -> None:
    await office.post("/api/v1/rules", {"keywords": ["在吗"], "reply": ["在的"]})
    first, second = (await office.get("/api/v1/rules")).json()["items"]
    assert (first["id"], first["own"], second["own"]) == (second["id"], False, True)
    await office.ask("DELETE", f"/api/v1/rules/{first['id']}")
    (left,) = (await office.get("/api/v1/rules")).json()["items"]
    assert left["where"].startswith("bot.toml")


async def test_a_rule_for_an_account_that_there_is_not_is_refused(
    autojump_clock, office: Office
) -> None:
    rule = {"keywords": ["x"], "reply": ["y"], "accounts": ["shop-a", "nobody"]}
    answer = await office.post("/api/v1/rules", rule)
    assert (answer.status_code, list(errors(answer))) == (422, ["body.accounts[1]"])


async def test_thousands_of_wrongs_are_not_told_one_by_one(autojump_clock, office: Office) -> None:
    many = b",".join(b'"k%d":1' % n for n in range(60_000))
    answer = await office.post("/api/v1/rules/try", b'{"text":"a",' + many + b"}")
    assert answer.status_code == 422
    assert len(errors(answer)) == 20
    list_of_many = b'{"keywords":[' + b",".join([b"1"] * 200_000) + b'],"reply":[]}'
    answer = await office.post("/api/v1/rules", list_of_many)
    assert list(errors(answer)) == ["body.keywords"]
