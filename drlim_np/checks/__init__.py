"""What comes in is checked here, once, and what goes wrong leaves in one line.

Everyone may enter; it knows nothing but `errors` and `backend`.
"""
