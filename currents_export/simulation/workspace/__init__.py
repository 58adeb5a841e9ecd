"""The workspace of a world: its apps, campaigns, Canvases, products and agents."""
