"""Time and memory of the project on this machine, next to PyTorch and scikit-learn on the same work.

python -m drlim_np.bench                     all cases (pip install ".[bench]"): about ten minutes on two cores
python -m drlim_np.bench --only step --quick
python -m drlim_np.bench --fresh --only step each contestant in a process of its own, the libraries as installed
python -m drlim_np.bench --against REV       this tree against an earlier commit, nothing else

cases      the work, on the processor or on a GPU;  pytorch: the same work in PyTorch
race       runs in alternation, because a machine has slow spells, and in processes of their own
machine    the machine's bounds, where the time of a step goes, peak memory;  report: the tables
"""
