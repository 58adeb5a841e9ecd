"""Settings of every test run."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["pytester"]

# How long an example takes depends on the machine and its load.
settings.register_profile("default", deadline=None)
settings.load_profile("default")
