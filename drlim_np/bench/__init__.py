"""Time and memory of the project on this machine, next to PyTorch and scikit-learn: `python -m drlim_np.bench --list`.

cases: the work, and in pytorch the same there; race: runs in alternation; report: the tables; machine: its bounds, a
step's layers, peak memory; peers: maps next to others'; estimator: the tables of the estimator's page.
"""
