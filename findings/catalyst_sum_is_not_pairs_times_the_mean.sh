#!/usr/bin/env bash
# catalyst 22.4: ContrastiveEmbeddingLoss with reduction="sum" is 2P times its "mean" of P pairs.
#
# Guess: with "sum" it is P times the loss with "mean", as in MSELoss of PyTorch.
# Seen:  "mean" has the ½ of Eq. 4 of Hadsell, Chopra and LeCun, "sum" and None leave it out. So the learning rate of
#        "sum" is half of what the number of pairs says.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q torch==2.13.0 numpy==2.4.6 hydra-slayer==0.4.1 tensorboardX==2.6.4 tqdm==4.67.1 six==1.17.0
"$folder/venv/bin/python" -m pip install -q --no-deps catalyst==22.4
"$folder/venv/bin/python" - <<'END'
import torch
from catalyst.contrib.losses import ContrastiveEmbeddingLoss

torch.manual_seed(0)
pairs = 10
z1, z2 = torch.randn(2, pairs, 3, dtype=torch.double)
dissimilar = torch.arange(pairs) % 2
mean, total = (ContrastiveEmbeddingLoss(2.0, kind)(z1, z2, dissimilar).item() for kind in ("mean", "sum"))
print(mean, total, "ratio", total / mean)
assert abs(total / mean - 2 * pairs) < 1e-12
theirs = torch.nn.MSELoss
assert abs(theirs(reduction="sum")(z1, z2) / theirs(reduction="mean")(z1, z2) - z1.numel()) < 1e-12
END
