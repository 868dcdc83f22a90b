"""What makes it fast and changes nothing: all of it equals a plainer definition, and tests hold it to that.

Everyone may enter; nothing here knows about training, data or figures.
"""
