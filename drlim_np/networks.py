"""The paper's two G_W."""

from drlim_np.layers import Conv2d, Linear, Positions, Sequential, Subsample, Tanh

CONVNET_INPUT = (1, 32, 32)  # one grey map


def convnet(outputs: int = 2) -> Sequential:
    """The network for digits (Fig. 3): (samples, 1, 32, 32) → (samples, outputs). It slides over larger images.

    Fig. 3 prints 15 maps of 27×27, 15 of 9×9, 30 of 1×1, 2 outputs: so kernels of 6×6 and 9×9, a window of 3×3. Chosen
    here: LeNet's form of S2, a tanh after each trainable layer but the last, C3 on all maps of S2, the linear output.
    """
    return Sequential(
        C1=Conv2d(channels=1, maps=15, kernel=6),
        squash1=Tanh(),
        S2=Subsample(maps=15, window=3),
        squash2=Tanh(),
        C3=Conv2d(channels=15, maps=30, kernel=9),
        squash3=Tanh(),
        flatten=Positions(),
        F4=Linear(30, outputs),
    )


def two_layer(inputs: int = 96 * 96, hidden: int = 20, outputs: int = 3) -> Sequential:
    """The fully connected network for the airplane (Sec. 3.4): (samples, inputs) → (samples, outputs)."""
    return Sequential(hidden=Linear(inputs, hidden), squash=Tanh(), output=Linear(hidden, outputs))
