"""Recognize files that are not UTF-8 text by their first bytes."""

from __future__ import annotations

__all__ = ["foreign_format"]

_COMPRESSED = "it is compressed by {}; decompress it first"
_UTF_16 = "it is UTF-16; it must be UTF-8"

_MAGIC = {
    b"Obj\x01": "it is Avro, the format of Braze's storage export, which is not the HTTP payload",
    b"PAR1": "it is Parquet; convert it to JSON Lines first",
    b"\x1f\x8b": _COMPRESSED.format("gzip"),
    b"\x28\xb5\x2f\xfd": _COMPRESSED.format("zstd"),
    b"BZh": _COMPRESSED.format("bzip2"),
    b"\xfd7zXZ\x00": _COMPRESSED.format("xz"),
    b"PK\x03\x04": "it is a zip archive; unpack it first",
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
}


def foreign_format(head: bytes) -> str | None:
    """Return the problem with a file that begins with `head`; None if it may be text."""
    return next((what for magic, what in _MAGIC.items() if head.startswith(magic)), None)
