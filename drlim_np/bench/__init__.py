"""What the project costs on the machine at hand, against the best that others offer for the same work.

python -m drlim_np.bench                     all cases (pip install ".[bench]"): about ten minutes on two cores
python -m drlim_np.bench --only step --quick
python -m drlim_np.bench --against REV       ours now and as an earlier commit had it, nothing else

cases      what is measured: the same work by us, by PyTorch, by scikit-learn
pytorch    that work in PyTorch, written as one would write it there
fresh      a training step in a process of its own, as installed
against    a case by an earlier commit and by this tree
gpu        the same on a GPU, where there is one
race       interleaved runs, so that whatever else the machine does strikes all alike; each case in its own process
machine    the machine's own bounds, and where the time goes
report     the table
"""
