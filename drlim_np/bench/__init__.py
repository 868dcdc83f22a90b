"""Time and memory of the project on this machine, next to PyTorch and scikit-learn: `python -m drlim_np.bench --list`.

cases      the work, on the processor or on a GPU;  pytorch: the same work in PyTorch
race       runs in alternation, because a machine has slow spells, and in processes of their own;  report: the tables
machine    the machine's bounds, where the time of a step goes, peak memory
estimator  the tables of the estimator's page
"""
