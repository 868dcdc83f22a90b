#!/usr/bin/env bash
# pytorch-metric-learning 2.9.0, PyTorch 2.13.0: the distance of two points depends on how many others are in the batch.
#
# Guess: LpDistance gives two embeddings the same distance in float32, up to rounding, in a batch of 25 and in one of
#        26.
# Seen:  with 26 rows torch.cdist takes ‖a‖² + ‖b‖² − 2a·b instead of the differences. Of a tight cloud far from the
#        origin, whose distances are .006 to .011, no digit is left: a row's distance from itself is not 0, and others
#        are off by more than their own size. Nothing in LpDistance's arguments asks for the differences.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q torch==2.13.0 numpy==2.4.6 pytorch-metric-learning==2.9.0
"$folder/venv/bin/python" - <<'END'
import torch
from pytorch_metric_learning.distances import LpDistance

torch.manual_seed(0)
cloud = 100 + 1e-3 * torch.randn(26, 32)
exact = torch.linalg.vector_norm(cloud[:, None].double() - cloud.double(), dim=2)
distance = LpDistance(normalize_embeddings=False)
worst = {}
for rows in (25, 26):
    found = distance(cloud[:rows])
    worst[rows] = (found - exact[:rows, :rows]).abs().max().item()
    print(rows, "rows: D of the first two", found[0, 1].item(), "exact", exact[0, 1].item(), "worst error", worst[rows])
assert worst[25] < 1e-8
assert worst[26] > exact.max().item() > 0.005
END
