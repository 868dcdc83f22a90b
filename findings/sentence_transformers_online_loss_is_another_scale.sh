#!/usr/bin/env bash
# sentence-transformers 6.2.0: OnlineContrastiveLoss is no ContrastiveLoss of the hard pairs: twice, and a sum.
#
# Guess: on a batch in which every pair is hard, OnlineContrastiveLoss equals ContrastiveLoss with the same metric and
#        margin, because its documentation calls it similar, but for the choice of hard pairs.
# Seen:  ContrastiveLoss is the mean of ½D² and ½(m − D)². The online one is the sum of D² and (m − D)², so with P
#        pairs it and its gradient are 2P times as large, and a learning rate is another one for each batch size.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q torch==2.13.0 numpy==2.4.6 sentence-transformers==6.2.0
"$folder/venv/bin/python" - <<'END'
import torch
from sentence_transformers.sentence_transformer.losses import ContrastiveLoss, OnlineContrastiveLoss, SiameseDistanceMetric

for pairs in (2, 4, 32):
    z1, z2 = torch.zeros(pairs, 2), torch.zeros(pairs, 2)
    similar = torch.arange(pairs) % 2  # every similar pair is farther apart than every dissimilar one: all are hard
    z2[:, 0] = torch.where(similar == 1, 0.8, 0.3) + 0.01 * torch.arange(pairs) / pairs
    given = [z1, z2], similar
    mean, online = (
        kind(None, SiameseDistanceMetric.EUCLIDEAN, margin=1.0).compute_loss_from_embeddings(*given).item()
        for kind in (ContrastiveLoss, OnlineContrastiveLoss)
    )
    print(pairs, "pairs:", mean, online, "ratio", online / mean)
    assert abs(online / mean - 2 * pairs) < 1e-3
END
