"""`--ca-file`, `--client-cert` and `--client-key`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.cli.support import run, words
from tests.support.certificates import Files, certificates
from tests.support.events import event
from tests.support.servers import over_tls, raw_server, say


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return certificates().write(tmp_path)


def test_every_sending_command_has_them(
    files: Files, current: Callable[..., Path], file: Callable[..., Path]
) -> None:
    events = file("events.jsonl", [event()])
    script = over_tls(certificates().server_context(mutual=True), say("200 OK"))
    with raw_server(script) as url:
        secure = url.replace("http:", "https:").rstrip("/")
        where = current(secure, event_types=["users.messages.email.Open"])
        for command in (["check"], ["test"], ["send", events]):
            always = [*command, "--current", where, "--ca-file", files.authority]
            for own in (
                ["--client-cert", files.both],
                ["--client-cert", files.cert, "--client-key", files.key],
            ):
                assert run(*always, *own).exit_code == 0
    with raw_server(script) as url:
        where = current(url.replace("http:", "https:").rstrip("/"))
        assert "certificate verify failed" in run("check", "--current", where).output
        without = run("check", "--current", where, "--ca-file", files.authority)
        assert "network error" in without.output


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--ca-file", "gone.pem"], "--ca-file: gone.pem: it cannot be read: No such file"),
        (["--ca-file", "."], "--ca-file: .: it cannot be read: Is a directory"),
        (["--ca-file", "empty"], "--ca-file: empty: it holds no certificates in PEM format"),
        (["--ca-file", "key.pem"], "--ca-file: key.pem: it holds no certificates in PEM format"),
        (["--client-cert", "gone.pem"], "--client-cert: gone.pem: it cannot be read"),
        (["--client-cert", "cert.pem"], "--client-cert: cert.pem: it must be a certificate"),
        (["--client-cert", "key.pem"], "--client-cert: key.pem: it must be a certificate"),
        (["--client-cert", "both.pem", "--client-key", "gone"], "--client-key: gone: it cannot be"),
        (
            ["--client-cert", "cert.pem", "--client-key", "encrypted"],
            "its private key, which must not be encrypted",
        ),
        (["--client-key", "key.pem"], "--client-key needs the certificate: --client-cert FILE"),
    ],
)
def test_unusable_file_is_named(
    options: list[str],
    problem: str,
    files: Files,
    current: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(files.key.parent)
    Path("empty").write_text("")
    key = load_pem_private_key(files.key.read_bytes(), None)
    encryption = BestAvailableEncryption(b"secret")
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, encryption)
    Path("encrypted").write_bytes(encrypted)
    assert files.key.name == "key.pem"
    where = current("https://receiver.example.com")
    result = run("check", "--current", where, *options)
    assert result.exit_code == 2
    assert problem in words(result.output)
