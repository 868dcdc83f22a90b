#!/usr/bin/env bash
# pytorch-metric-learning 2.9.0: the contrastive loss rises when a dissimilar pair is moved beyond the margin.
#
# Guess: moving a dissimilar pair apart never raises ContrastiveLoss, as with Eq. 4 of Hadsell, Chopra and LeCun.
# Seen:  the default reducer is the mean over the pairs whose loss is not 0. A pair that reaches the margin leaves the
#        mean, and what is left are the harder pairs: .46 with the first pair just inside the margin, .8 just outside.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q torch==2.13.0 numpy==2.4.6 pytorch-metric-learning==2.9.0
"$folder/venv/bin/python" - <<'END'
import math

import torch
from pytorch_metric_learning.losses import ContrastiveLoss

def loss(distance):
    """Of two dissimilar pairs on the unit circle, one at this distance, one at .2; the margin is 1."""
    angles = [0, 2 * math.asin(distance / 2), 0, 2 * math.asin(0.1)]
    points = torch.tensor([[math.cos(a), math.sin(a)] for a in angles])
    none = torch.tensor([], dtype=torch.long)
    return ContrastiveLoss(neg_margin=1.0)(points, None, (none, none, torch.tensor([0, 2]), torch.tensor([1, 3]))).item()

found = {d: round(loss(d), 3) for d in (0.5, 0.9, 0.99, 1.01, 1.2)}
print(found)
assert found[0.5] > found[0.9] > found[0.99]
assert abs(found[0.99] - 0.405) < 0.002 and abs(found[1.01] - 0.8) < 0.002
END
