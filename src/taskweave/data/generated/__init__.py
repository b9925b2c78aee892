"""Generated rooms: no download, exact labels."""
