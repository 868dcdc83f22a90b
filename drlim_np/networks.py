"""The paper's two G_W."""

from drlim_np.layers import Conv2d, Flatten, Linear, Sequential, Subsample, Tanh

CONVNET_INPUT = (1, 32, 32)  # one grey map: the size for which C3 of Fig. 3 has exactly one position


def convnet(outputs: int = 2) -> Sequential:
    """The network for digits (Fig. 3): (samples, 1, 32, 32) → (samples, outputs).

    The paper gives the maps, the kernels and the two output units. The window of S2, the tanh after each trainable
    layer but the last, the full connection from S2 to C3 and the linear output unit are this project's reading.
    """
    return Sequential(
        C1=Conv2d(channels=1, maps=15, kernel=6),
        squash1=Tanh(),
        S2=Subsample(maps=15, window=3),
        squash2=Tanh(),
        C3=Conv2d(channels=15, maps=30, kernel=9),
        squash3=Tanh(),
        flatten=Flatten(),
        F4=Linear(30, outputs),
    )


def two_layer(inputs: int = 96 * 96, hidden: int = 20, outputs: int = 3, scale: float = 0.1) -> Sequential:
    """The fully connected network for the airplane (Sec. 3.4): (samples, inputs) → (samples, outputs).

    `scale` multiplies the standard deviation of the first layer's initial weights. The paper gives no initialisation;
    small weights leave Fig. 10 showing what was learned and not what was drawn.
    """
    return Sequential(
        hidden=Linear(inputs, hidden, scale=scale),
        squash=Tanh(),
        output=Linear(hidden, outputs),
    )
