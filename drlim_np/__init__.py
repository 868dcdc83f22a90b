"""DrLIM from scratch: dimensionality reduction by learning an invariant mapping (Hadsell, Chopra, LeCun, CVPR 2006).

It learns a map from a list of similar pairs alone, and the map takes samples it has never seen. As an estimator with
scikit-learn's conventions: `DrLIM(random_state=0).fit(x, similar=pairs).transform(unseen)`. In parts:

    network = two_layer(inputs=x.shape[1], outputs=2)                                  # G_W
    similar = SimilarityGraph(len(x), pairs)                                           # Step 1: the similar pairs
    objective = SampledPairs(network, x, similar, margin=1.0)                          # the loss, Eqs. 1 to 4
    W, losses = minimise(objective, network.init(rng), SGD(0.5, 0.9), 300, rng)        # Step 2: gradient descent
    z = embed(network, W, unseen)                                                      # (samples, 2)

The paper, in reading order, with what to look at first:
    loss        Eqs. 1 to 7, for given pairs and for every pair of a set: energy, contrastive, all_pairs_by_definition
    layers      backpropagation, one pullback per layer: Linear, Conv2d, Subsample, Tanh, Flatten, Positions, Sequential
    networks    the paper's two G_W, for digits (Fig. 3) and for the airplane (Sec. 3.4): convnet, two_layer
    siamese     copies of G_W that share one W: two_towers, one_tower
    graph       Step 1, the similar pairs: SimilarityGraph, nearest_neighbour_graph, alike_in_any_copy, contiguous_views
    objective   the loss over all pairs: EveryPair, dissimilar_weight
    sampled     the same estimated from pairs, or from characters with all their copies: SampledPairs, SampledCopies
    training    Step 2: minimise, descend, SGD, embed
    verbatim    Steps 1 and 2 on one page, pair by pair, as the paper writes them: update, sweep

helpers
    backend     arrays bring their module, NumPy, CuPy, JAX, MLX, PyTorch or another: namespace, to_host, like
    tree        parameters are dicts of dicts of arrays: leaves, tree_map, add
    errors      exceptions, one line each with the remedy: DrlimError, InputError, DataError, DivergedError

and subpackages
    fast        the same results, faster: all_pairs, sweep, patches, maps, blocks, knn, devices
    audit       every gradient against oracles, by `python -m drlim_np.audit`: gradcheck, catalogue, exact
    measure     the numbers behind each claim, and LLE, the baseline: metrics, cylinder, lle
    files       files that survive a kill, a full disk and a second run: weights, cache, atomic
    checks      each input is checked once, and an error is one line: numbers, arrays, terminal
    data        images: published MNIST and small NORB, or generated ones: mnist, norb, handwriting, rendering
    drawing     shared by all drawings: panels, style, space, thumbnails, light
    figures     the figures of the paper, a module each: figure1, figure2, figure4, figure7, figure8, figure9, figure10
    runs        the command that draws the figures, its processes and its record: command, jobs, record, results
    teaching    backprop for a class: the lesson, exercises with a mistake in each: lesson, exercises, pages
    estimator   all of it as `drlim_np.DrLIM`, with fit, transform, score and a picture of the map: DrLIM, plot
    bench       time and memory, ours and others'; `python -m drlim_np.bench`: cases, race, peers

Conventions. Y = 0 is a similar pair and Y = 1 a dissimilar one, as in the paper; some libraries have it the other way.
Images are (samples, maps, height, width), features and embeddings (samples, dims), pairs (pairs, 2) indices of samples.
The floating dtype that goes in comes out; nothing is promoted silently. Distances and the margin are in the unit of the
embedding. All random numbers come from the generator that you pass. Only NumPy is needed; figures need Matplotlib.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drlim_np.estimator import DrLIM as DrLIM

__version__ = "0.3.0"


def __getattr__(name: str) -> Any:
    """Imports DrLIM on first use, so that `import drlim_np` stays light."""
    if name == "DrLIM":
        from drlim_np.estimator import DrLIM

        return DrLIM
    raise AttributeError(f"module 'drlim_np' has no attribute {name!r}")
