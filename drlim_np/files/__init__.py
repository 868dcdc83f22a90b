"""Files that survive a kill, a full disk and a second run: weights, checkpoints, remembered results.

It may use trees, arrays and the descent; the paper's modules know nothing of it.
"""
