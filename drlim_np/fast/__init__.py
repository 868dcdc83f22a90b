"""What makes it fast and changes nothing: all of it equals a plainer definition, and tests hold it to that.

`layers` gathers its patches here; `siamese`, `objective` and `neighbours` choose the fast form of what they need. Only
`loss` is the definition itself, and knows nothing of it. Nothing here knows about training, data or figures.
"""
