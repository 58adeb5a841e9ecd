"""Credentials, which are never shown."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable

import orjson
import pytest

from currents_export.receiver import Receiver
from currents_export.receiver.page import Page
from tests.receiver.page.conftest import Browser
from tests.support.currents import TOKEN, WRITE_KEY
from tests.support.events import event
from tests.support.receivers import basic, bearer, body

Browse = Callable[[Page], Browser]
ALL = {"reveal": "1"}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"/v1/webhook?writeKey={WRITE_KEY}", {}),
        ("/v1/webhook", basic(WRITE_KEY)),
        ("/v1/webhook", bearer(TOKEN)),
        (f"/{WRITE_KEY}/hook", bearer(TOKEN)),
    ],
)
def test_credentials_are_never_shown(browse: Browse, path: str, headers: dict[str, str]) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY], bearer_tokens=[TOKEN])
    user = browse(Page(receiver))
    quoting = event(1, note=f"the key is {WRITE_KEY} and the token {TOKEN}")
    assert user.send(body(event(0)), path=f"/?writeKey={WRITE_KEY}").status_code == 200
    assert user.send(body(event(0)), **bearer(TOKEN)).status_code == 200
    assert user.send(body(quoting), path=path, **headers).status_code == 200
    shown = user.ask("events")["events"][0]["id"]
    pages = [
        user.client.get("/").text,
        *(
            user.client.get(f"/_page/api/{each}", params=ALL).text
            for each in (
                "summary",
                "events",
                "requests",
                "requests/2",
                "requests/2/body",
                f"events/{shown}",
                f"events/{shown}/curl",
            )
        ),
    ]
    for secret in (WRITE_KEY, TOKEN, basic(WRITE_KEY)["Authorization"].split()[1]):
        assert [each for each in pages if secret in each] == []


def test_curl_is_safe_and_works(browse: Browse) -> None:
    user = browse(Page(Receiver(write_keys=[WRITE_KEY])))
    given = event(1, note="it's $(touch /tmp/x) `id` \u202e\x9b</script>")
    user.send(body(given), path=f"/a'$(id)?x=1&writeKey={WRITE_KEY}&y=$HOME")
    shown = user.ask("events")["events"][0]["id"]
    command = user.ask(f"events/{shown}/curl")["command"]
    assert command.isprintable()
    script = "curl() { printf '%s\\0' \"$@\"; }\n" + command
    run = subprocess.run(
        ["/bin/sh", "-c", script],
        check=True,
        capture_output=True,
        timeout=20,
        env={"WRITE_KEY": "the-key", "HOME": "/home"},
    )
    words = run.stdout.decode().split("\0")[:-1]
    assert words[:2] == ["-X", "POST"]
    assert words[2].startswith("http://127.0.0.1:8080/a")
    assert "writeKey=the-key&y=" in words[2]
    assert "$(id)" in words[2] or "%24" in words[2]
    assert orjson.loads(words[-1]) == orjson.loads(body(given))
    assert len(shlex.split(command)) == len(words) + 1
