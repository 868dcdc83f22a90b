"""The numbers behind the claims, and LLE, the baseline: measured on a finished map, never used in training.

It uses `fast.knn` and `graph`; the figures and the tests use it.
"""
