#!/usr/bin/env bash
# sentence-transformers 6.2.0: two equal dissimilar embeddings are pushed apart along (1, 1, …) by the full margin.
#
# Guess: with SiameseDistanceMetric.EUCLIDEAN the gradient of a dissimilar pair at D = 0 is 0, because PyTorch takes 0
#        as the norm's subgradient at 0; or else it is NaN.
# Seen:  the metric is F.pairwise_distance, which adds 1e-6 to every coordinate of the difference. So D is 1e-6 √n,
#        the direction is (1, 1, …) for whatever pair, and the force is the longest that there is. All pairs of a
#        collapsed map are pushed along the same line.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q torch==2.13.0 numpy==2.4.6 sentence-transformers==6.2.0
"$folder/venv/bin/python" - <<'END'
import math

import torch
from sentence_transformers.sentence_transformer.losses import ContrastiveLoss, SiameseDistanceMetric

z1 = torch.tensor([[0.3, -0.2], [5.0, 7.0]], requires_grad=True)
z2 = z1.detach().clone()
loss = ContrastiveLoss(None, SiameseDistanceMetric.EUCLIDEAN, margin=1.0, size_average=False)
loss.compute_loss_from_embeddings([z1, z2], torch.tensor([0, 0])).backward()
print(z1.grad)
assert torch.allclose(z1.grad, torch.full((2, 2), -1 / math.sqrt(2)), atol=1e-5)
norm = torch.autograd.grad(torch.linalg.vector_norm(z1 - z2, dim=1).sum(), z1)[0]
assert torch.equal(norm, torch.zeros(2, 2)), "PyTorch's own norm has gradient 0 there"
END
