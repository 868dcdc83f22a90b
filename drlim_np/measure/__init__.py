"""The numbers behind the claims, measured on finished maps: metrics, cylinder; and LLE, the baseline: lle."""
