"""DrLIM from scratch: dimensionality reduction by learning an invariant mapping (Hadsell, Chopra, LeCun, CVPR 2006).

From pixels to a figure, each step a module:

    data        images: the published MNIST and small NORB files, or generated handwriting and a rendered airplane
    neighbours  Step 1: which samples are similar
    graph       the similar pairs; every other pair is dissimilar
    layers      layers and their pullbacks, which are backpropagation
    networks    the paper's two G_W
    loss        the contrastive loss, Eqs. 1 to 4, and its gradient
    siamese     copies of G_W that share one W
    objective   the loss over all pairs, or an unbiased sample of them
    training    Step 2: gradient descent
    checkpoint  where a run left off, and what it need not find again
    lle         the baseline of Figs. 6 and 9
    metrics     the numbers behind each claim
    gradcheck   oracles for gradients; `python -m drlim_np.gradcheck` audits everything above

Arrays bring their module (backend): the same code runs on NumPy, CuPy, and whatever follows the array API standard.
"""

__version__ = "0.1.0"
