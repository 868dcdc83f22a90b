"""DrLIM from scratch: dimensionality reduction by learning an invariant mapping (Hadsell, Chopra, LeCun, CVPR 2006).

A map is learned from nothing but a list of which pairs are similar, and takes samples it has never seen:

    network = two_layer(inputs=x.shape[1], outputs=2)                                  # G_W
    similar = SimilarityGraph(len(x), pairs)                                           # Step 1: who is similar to whom
    objective = SampledPairs(network, x, similar, margin=1.0)                          # the loss, Eqs. 1 to 4
    W, losses = minimise(objective, network.init(rng), Adam(), steps=300, rng=rng)     # Step 2: gradient descent
    z = embed(network, W, unseen)                                                      # (samples, 2)

From pixels to a figure, each step a module, and in it first of all:

    data        images: published MNIST and small NORB, or generated ones: mnist, norb, handwriting, airplane, shifts
    neighbours  Step 1, from pixels or prior knowledge: nearest_neighbour_graph, alike_in_any_copy, contiguous_views
    nearest     the k nearest neighbours, exact, of images and on a map: nearest_neighbours
    graph       the similar pairs; every other pair is dissimilar: SimilarityGraph
    layers      backpropagation, a pullback a layer: Linear, Conv2d, Subsample, Tanh, Flatten, Sequential, InBlocks
    textbook    the convolution loop by loop, the definition that Conv2d is tested against: convolution
    networks    the paper's two G_W, for digits (Fig. 3) and for the airplane (Sec. 3.4): convnet, two_layer
    principal   a first layer on few coordinates in place of many pixels: principal_images
    loss        Eqs. 1 to 4 and their gradients, for pairs and for all pairs: energy, contrastive, contrastive_all_pairs
    tiles       which samples are within the margin of each other, so that all pairs cost little: within_reach
    siamese     copies of G_W that share one W: two_towers, embed_once
    objective   the loss over all pairs, or an unbiased sample of them: EveryPair, SampledPairs
    training    Step 2: minimise, descend, Adam, SGD, embed
    weights     a trained W on disk: save, load
    checkpoint  where a run left off, and what it need not find again: Checkpoint, Memory
    lle         the baseline of Figs. 6 and 9: lle
    metrics     the numbers behind each claim: accuracy, regression_r2, unevenness, trustworthiness, shift_ratio
    cylinder    a map in space read as azimuth and elevation (Fig. 8): fit
    gradcheck   oracles for gradients, for a layer of yours too: check_layer, check, complex_step, central_difference
    audit       everything above held against them; `python -m drlim_np.gradcheck` prints it: findings, table
    autograd    a second opinion on every pullback, by PyTorch's autograd where it is installed: opinions
    lesson      backprop through a Siamese network in five steps; `python -m drlim_np.lesson` gives it: page
    bench       what it costs, by us and by others; `python -m drlim_np.bench` measures it: cases, race, report

and below them all

    tree        parameters are dicts of dicts of arrays: leaves, tree_map, add
    backend     arrays bring their module, NumPy, CuPy or another of the array API standard: namespace, to_host, like
    atomic      files that are the old ones or the new ones, whatever happens: replace, alone_in
    errors      what is raised on purpose, in one line with its remedy: DrlimError, InputError, DataError, DivergedError

Conventions. Y = 0 is a similar pair and Y = 1 a dissimilar one, as in the paper; many libraries have it the other way.
Images are (samples, maps, height, width), features and embeddings (samples, dims), pairs (pairs, 2) indices of samples.
Whatever floating dtype goes in comes out; nothing is promoted silently. Distances and the margin are in the unit of the
embedding. Nothing is drawn but from the generator that you pass. Only NumPy is needed, and for the figures Matplotlib.
"""

__version__ = "0.1.0"
