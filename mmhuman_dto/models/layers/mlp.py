"""Multi-layer perceptron of the heads."""
from torch import nn


class MLP(nn.Module):
    """Linear layers with ReLU between them: (*, in_dims) -> (*, out_dims).

    Hidden layers start as He et al. 2015 (arXiv 1502.01852) have it: with torch's default a signal loses more than half
    of its size in each, and what six of them let through of an image is too little to learn poses from scratch.
    """

    def __init__(self, in_dims, hidden_dims, out_dims, num_layers):
        super().__init__()
        widths = [in_dims] + [hidden_dims] * (num_layers - 1) + [out_dims]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        for layer in self.layers[:-1]:
            nn.init.kaiming_uniform_(layer.weight, nonlinearity='relu')
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)


def zero_last(mlp):
    """Let an MLP of residuals start at zero: its last layer's weights and biases become 0."""
    nn.init.zeros_(mlp.layers[-1].weight)
    nn.init.zeros_(mlp.layers[-1].bias)
