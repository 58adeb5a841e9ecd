"""The users of a world: who they are, where they live, which devices they have."""
