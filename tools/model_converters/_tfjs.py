"""A tfjs graph model as numpy arrays, and a literal run of it: each of its operations as TensorFlow defines it.

Only the operations that MoveNet MultiPose and BlazePose have. Tensors are torch, channels last as in the graph.
"""
import base64
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

_DTYPES = dict(float32=np.float32, int32=np.int32, bool=np.bool_, float16=np.float16)


class TFJSGraph:
    """Nodes and constants of ``NAME.json`` with its ``NAME.bin``.

    Attributes:
        nodes: {name: node}, in an order in which each follows its inputs.
        constants: {name: numpy array}, float16 as stored widened to float32.
        outputs: {name of an output: its node}, where the file names them.

    Raises:
        ValueError: the file is no tfjs graph model, or its weights are not of the size that it states.
    """

    def __init__(self, path):
        path = Path(path)
        graph = json.loads(path.read_text())
        if graph.get('format') != 'graph-model':
            raise ValueError(f'{path}: no tfjs graph model (format {graph.get("format")!r})')
        self.origin = graph['generatedBy']
        outputs = graph.get('signature', {}).get('outputs', {})
        self.outputs = {name: _name(output['name']) for name, output in outputs.items()}
        self.constants, self.nodes = {}, {}
        for group in graph['weightsManifest']:
            data, start = b''.join((path.parent / name).read_bytes() for name in group['paths']), 0
            for weight in group['weights']:
                stored = np.dtype(_DTYPES[weight.get('quantization', weight)['dtype']])
                size = int(np.prod(weight['shape'])) * stored.itemsize
                values = np.frombuffer(data[start:start + size], stored.newbyteorder('<')).reshape(weight['shape'])
                self.constants[weight['name']], start = values.astype(_DTYPES[weight['dtype']]), start + size
            if start != len(data):
                raise ValueError(f'{path}: {len(data)} bytes of weights, {start} expected')
        waiting = {node['name']: node for node in graph['modelTopology']['node'] if node['op'] != 'Const'}
        while waiting:
            ready = [node for node in waiting.values() if not any(_name(i) in waiting for i in node.get('input', []))]
            for node in ready:
                self.nodes[node['name']] = waiting.pop(node['name'])

    def run(self, image, wanted=None):
        """Values (lists of outputs) of nodes, by name.

        Args:
            image: what the graph is fed, (B, H, W, 3).
            wanted: names of nodes; None: all.
        """
        values = {name: [torch.from_numpy(value)] for name, value in self.constants.items()}
        for name, node in self.nodes.items():
            inputs = [values[_name(i)][int(i.split(':')[1]) if ':' in i else 0] for i in node.get('input', [])]
            out = image if node['op'] == 'Placeholder' else _OPERATIONS[node['op']](node.get('attr', {}), *inputs)
            values[name] = list(out) if isinstance(out, (list, tuple)) else [out]
        return {name: values[name] for name in wanted or self.nodes}


def _name(text):
    return text.split(':')[0]


def _ints(attr, key):
    return [int(value) for value in attr[key]['list']['i']]


def _int(attr, key):
    return int(attr[key]['i']) if key in attr else 0


def _fused(attr):
    return [base64.b64decode(value).decode() for value in attr.get('fused_ops', {}).get('list', {}).get('s', [])]


def _pad_same(images, kernel, stride, value=0.):
    """Padding as TensorFlow's SAME: what is odd goes below and to the right. images: (B, C, H, W)."""
    pads = []
    for size, length in zip(images.shape[:1:-1], kernel[::-1]):
        total = max((-(-size // stride) - 1) * stride + length - size, 0)
        pads += [total // 2, total - total // 2]
    return functional.pad(images, pads, value=value)


def _convolve(attr, images, weights, bias=None, depthwise=False):
    stride = _ints(attr, 'strides')[1]
    images = images.permute(0, 3, 1, 2)
    if base64.b64decode(attr['padding']['s']) == b'SAME':
        images = _pad_same(images, weights.shape[:2], stride)
    weights = weights.permute(2, 3, 0, 1) if depthwise else weights.permute(3, 2, 0, 1)
    out = functional.conv2d(images, weights, bias, stride, groups=len(weights) if depthwise else 1)
    for name in _fused(attr):
        out = dict(BiasAdd=lambda x: x, Relu=torch.relu, Relu6=functional.relu6)[name](out)
    return out.permute(0, 2, 3, 1)


def _max_pool(attr, images):
    size, stride, images = _ints(attr, 'ksize')[1:3], _ints(attr, 'strides')[1], images.permute(0, 3, 1, 2)
    if base64.b64decode(attr['padding']['s']) == b'SAME':
        images = _pad_same(images, size, stride, -torch.inf)
    return functional.max_pool2d(images, size, stride).permute(0, 2, 3, 1)


def _pad(attr, values, widths):
    return functional.pad(values, widths.flip(0).flatten().tolist())


def _resize(attr, images, size):
    return functional.interpolate(images.permute(0, 3, 1, 2), tuple(size.tolist()), mode='bilinear',
                                  align_corners=False).permute(0, 2, 3, 1)


def _strided_slice(attr, values, begin, end, strides):
    masks = {key: _int(attr, f'{key}_mask') for key in ('begin', 'end', 'ellipsis', 'new_axis', 'shrink_axis')}
    index = []
    for i in range(len(begin)):
        bit = 1 << i
        if masks['ellipsis'] & bit:
            index.append(...)
        elif masks['new_axis'] & bit:
            index.append(None)
        elif masks['shrink_axis'] & bit:
            index.append(int(begin[i]))
        else:
            index.append(slice(None if masks['begin'] & bit else int(begin[i]),
                               None if masks['end'] & bit else int(end[i]), int(strides[i])))
    return values[tuple(index)]


def _squeeze(attr, values):
    axes = [int(i) for i in attr.get('squeeze_dims', {}).get('list', {}).get('i', [])]
    return values.squeeze(tuple(axes)) if axes else values.squeeze()


def _cast(attr, values):
    kinds = dict(DT_FLOAT=torch.float32, DT_INT32=torch.int32, DT_BOOL=torch.bool)
    return values.to(kinds[attr['DstT']['type']])


def _top(attr, values, k):
    # Equal values in the order of their places.
    order = torch.argsort(-values, dim=-1, stable=True)[..., :int(k)]
    return values.gather(-1, order), order.int()


def _pack(attr, *values):
    return torch.stack(values, _int(attr, 'axis'))


_OPERATIONS = {
    '_FusedConv2D': _convolve, 'Relu6': lambda attr, a: functional.relu6(a), 'Pad': _pad,
    'FusedDepthwiseConv2dNative': lambda attr, *inputs: _convolve(attr, *inputs, depthwise=True),
    'DepthwiseConv2dNative': lambda attr, *inputs: _convolve(attr, *inputs, depthwise=True),
    'MaxPool': _max_pool, 'ResizeBilinear': _resize, 'StridedSlice': _strided_slice, 'Squeeze': _squeeze,
    'Cast': _cast, 'TopKV2': _top, 'Pack': _pack,
    'AddV2': lambda attr, a, b: a + b, 'Sub': lambda attr, a, b: a - b, 'Mul': lambda attr, a, b: a * b,
    'RealDiv': lambda attr, a, b: a / b, 'FloorDiv': lambda attr, a, b: torch.div(a, b, rounding_mode='floor'),
    'Maximum': lambda attr, a, b: torch.maximum(a, b), 'Minimum': lambda attr, a, b: torch.minimum(a, b),
    'SquaredDifference': lambda attr, a, b: (a - b)**2, 'AddN': lambda attr, *values: sum(values),
    'Less': lambda attr, a, b: a < b, 'Greater': lambda attr, a, b: a > b,
    'GreaterEqual': lambda attr, a, b: a >= b, 'Equal': lambda attr, a, b: a == b,
    'LogicalAnd': lambda attr, a, b: a & b, 'Sigmoid': lambda attr, a: a.sigmoid(), 'Exp': lambda attr, a: a.exp(),
    'Abs': lambda attr, a: a.abs(), 'Reciprocal': lambda attr, a: 1 / a, 'Identity': lambda attr, a: a,
    'Reshape': lambda attr, a, shape: a.reshape(tuple(shape.tolist())),
    'Shape': lambda attr, a: torch.tensor(a.shape, dtype=torch.int32),
    'Size': lambda attr, a: torch.tensor(a.numel(), dtype=torch.int32),
    'ExpandDims': lambda attr, a, axis: a.unsqueeze(int(axis)),
    'Tile': lambda attr, a, times: a.tile(tuple(times.tolist())),
    'Fill': lambda attr, shape, value: torch.full(tuple(shape.tolist()), value.item()),
    'Range': lambda attr, start, stop, step: torch.arange(start.item(), stop.item(), step.item()),
    'Unpack': lambda attr, a: list(a.unbind(_int(attr, 'axis'))),
    'Split': lambda attr, axis, a: list(a.chunk(_int(attr, 'num_split'), int(axis))),
    'GatherNd': lambda attr, a, places: a[tuple(places.long().unbind(-1))],
    'Select': lambda attr, which, a, b: torch.where(which, a, b),
    'Sum': lambda attr, a, axis: a.sum(int(axis)), 'Max': lambda attr, a, axis: a.amax(tuple(axis.flatten().tolist())),
    'ArgMax': lambda attr, a, axis: a.argmax(int(axis)).int(),
    'ConcatV2': lambda attr, *values: torch.cat(values[:-1], int(values[-1])),
}
