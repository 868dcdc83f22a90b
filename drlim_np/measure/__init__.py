"""The numbers behind the claims, and LLE, the baseline: measured on a finished map, never used in training.

metrics    how well a map keeps neighbours, classes and quantities
cylinder   a map of views read as a cylinder, and the loops of a map, counted;  lle: locally linear embedding
"""
