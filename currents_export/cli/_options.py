"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..delivery import Durability
from ._completion import complete_pattern

__all__ = [
    "AllowEmpty",
    "AsJson",
    "BatchSize",
    "CaFile",
    "CatalogDir",
    "ClientCert",
    "ClientKey",
    "Concurrency",
    "CurrentFile",
    "EventTypes",
    "ExactlyOnce",
    "Files",
    "GiveUpAfter",
    "KeptFor",
    "MappingFile",
    "OutboxFile",
    "ScenarioFile",
    "SchemaVersion",
    "Seed",
    "ShowPersonalData",
    "Timeout",
    "UnsentFile",
]

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
SchemaVersion = Annotated[
    int | None,
    typer.Option(
        "--schema-version", metavar="N", help="The Currents schema version; the newest by default."
    ),
]
CatalogDir = Annotated[
    Path | None,
    typer.Option(
        "--catalog",
        metavar="DIR",
        envvar="CURRENTS_EXPORT_CATALOG_DIR",
        help="A directory of catalog tables to use instead of the packaged ones, for example "
        "for an unreleased schema version.",
    ),
]
Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE", help="Files of events; '-' or no file reads standard input."),
]
CurrentFile = Annotated[
    Path | None,
    typer.Option(
        "--current",
        metavar="FILE",
        help="The Current's TOML file; by default current.toml in this directory, if it exists. "
        "Environment variables such as CURRENTS_EXPORT_KEY override "
        "its settings.",
    ),
]
EventTypes = Annotated[
    list[str] | None,
    typer.Option(
        "--event-type",
        metavar="PATTERN",
        autocompletion=complete_pattern,
        help="A name, family or glob; can be given more than once. All by default.",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", metavar="N", help="The same seed gives the same world; random by default."
    ),
]
ScenarioFile = Annotated[
    Path | None,
    typer.Option(
        "--scenario",
        metavar="FILE",
        help="A TOML file that describes the traffic: users, time, rates, campaigns, Canvases, "
        "disturbances. Options override its settings.",
    ),
]
BatchSize = Annotated[
    int,
    typer.Option(
        "--batch-size", metavar="N", min=1, help="The maximum number of events in a request."
    ),
]
Concurrency = Annotated[
    int,
    typer.Option(
        "--concurrency", metavar="N", min=1, help="The maximum number of requests in flight."
    ),
]
GiveUpAfter = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=0,
        help="Pause after this time without a success; 0 retries for five days, as Braze does.",
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        help="The limit for a whole request: connecting, writing, and the response.",
    ),
]
CaFile = Annotated[
    Path | None,
    typer.Option(
        "--ca-file",
        metavar="FILE",
        help="The certificates to trust instead of the default ones, in PEM format.",
    ),
]
ClientCert = Annotated[
    Path | None,
    typer.Option(
        "--client-cert",
        metavar="FILE",
        help="The client's certificate for mutual TLS, in PEM format, with its private key unless "
        "--client-key names that.",
    ),
]
ClientKey = Annotated[
    Path | None,
    typer.Option(
        "--client-key",
        metavar="FILE",
        help="The private key of the client's certificate, in PEM format.",
    ),
]
UnsentFile = Annotated[
    str | None,
    typer.Option(
        "--pending",
        metavar="FILE",
        help="Append the events that could not be sent to it; '-' is standard output, and the "
        "result goes to standard error then.",
    ),
]
OutboxFile = Annotated[
    Path | None,
    typer.Option(
        "--outbox",
        metavar="FILE",
        help="Keep accepted events in this file until they are delivered. If the command is cut "
        "off, the same command continues; one process at a time can use the file.",
    ),
]
KeptFor = Annotated[
    Durability,
    typer.Option(
        "--durability",
        help="What the outbox survives: the end of the process, or a power failure as well.",
    ),
]
AllowEmpty = Annotated[
    bool,
    typer.Option("--allow-empty", help="Exit with 0 when the input contains no events."),
]
MappingFile = Annotated[
    Path | None,
    typer.Option(
        "--mapping",
        metavar="FILE",
        help="The custom mapping of RudderStack's source, from event types to event names, as "
        "JSON or TOML.",
    ),
]
ExactlyOnce = Annotated[
    bool, typer.Option("--exactly-once", help="Exit with 1 if there are duplicates, too.")
]
ShowPersonalData = Annotated[
    bool, typer.Option("--show-personal-data", help="Show the texts of altered fields.")
]
