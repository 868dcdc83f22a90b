"""The paper's figures, one module each, and what they share: `python -m drlim_np.runs` and run_all.py draw them.

All wings meet here, and nothing but these commands and the tests uses it; `estimator.plot` borrows thumbnails.
"""
