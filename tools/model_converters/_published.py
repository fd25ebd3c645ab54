"""What converters of published tfjs graphs share: layers' weights as torch has them, and the check before writing."""
import argparse

import torch
from _tfjs import TFJSGraph
from safetensors.torch import save_file

from mmhuman_dto.programs import output_file


def convolution_weights(graph, node):
    """Weights (and biases, where there are any) of a convolution of a :class:`TFJSGraph`, in torch's order."""
    order = (2, 3, 0, 1) if 'epthwise' in node['op'] else (3, 2, 0, 1)
    values = [torch.from_numpy(graph.constants[name].copy()) for name in node['input'][1:]]
    return [value.permute(order) if value.ndim == 4 else value for value in values]


def convert_file(argv, description, graph_name, convert, differences, tolerance, provenance):
    """Run a converter: nothing is written where the network differs from a literal run of the graph.

    Args:
        convert: graph -> network. differences: (graph, network) -> (of what, largest difference) pairs.
        tolerance: the largest difference that is no error. provenance: metadata of the file.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('graph', help=f'{graph_name}; its .bin lies beside it')
    parser.add_argument('out', type=output_file, help='safetensors file to write')
    args = parser.parse_args(argv)
    graph = TFJSGraph(args.graph)
    network = convert(graph)
    for what, difference in differences(graph, network):
        print(f'{what}largest difference from the graph {difference:.1e}')
        if not difference <= tolerance:
            raise SystemExit(f'more than {tolerance}: nothing written')
    state = {name: weights.half().contiguous() for name, weights in network.state_dict().items()}
    save_file(state, args.out, metadata=dict(provenance, graph=graph.origin))
    print(f'wrote {args.out}')
