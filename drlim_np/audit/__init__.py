"""The mathematics held against oracles that know nothing of backpropagation; `python -m drlim_np.audit` prints it."""
