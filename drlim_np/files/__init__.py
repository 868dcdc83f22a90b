"""Files that survive a kill, a full disk and a second run: weights, and the cache of finished results."""
