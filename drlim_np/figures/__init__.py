"""The paper's figures, one module each, and what they share: all wings meet here, and only `run_all.py` uses it."""
