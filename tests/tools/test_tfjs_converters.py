"""The reader of published graphs: operations as TensorFlow defines them, other files refused."""
import base64
import json

import numpy as np
import pytest
import torch
from scripts import ROOT, load_script


@pytest.fixture
def tfjs(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools/model_converters'))
    return load_script('tools/model_converters/_tfjs.py')


def text(value):
    return dict(s=base64.b64encode(value.encode()).decode())


def write_graph(path, nodes, constants):
    """A graph model with float16 constants, as published ones have them; the nodes' order is turned around."""
    weights = [dict(name=name, shape=list(np.shape(value)), dtype='float32', quantization=dict(dtype='float16'))
               for name, value in constants.items()]
    path.with_suffix('.bin').write_bytes(b''.join(np.float16(value).tobytes() for value in constants.values()))
    path.write_text(json.dumps(dict(
        format='graph-model', generatedBy='a test', modelTopology=dict(node=nodes[::-1]),
        weightsManifest=[dict(paths=[path.with_suffix('.bin').name], weights=weights)])))


def test_strided_convolution_is_padded_below_and_to_the_right(tfjs, tmp_path):
    nodes = [dict(name='image', op='Placeholder'),
             dict(name='float', op='Cast', input=['image'], attr=dict(DstT=dict(type='DT_FLOAT'))),
             dict(name='out', op='_FusedConv2D', input=['float', 'w', 'b'], attr=dict(
                 strides=dict(list=dict(i=['1', '2', '2', '1'])), padding=text('SAME'),
                 fused_ops=dict(list=dict(s=[text('BiasAdd')['s'], text('Relu')['s']]))))]
    kernel = np.zeros((3, 3, 1, 1))
    kernel[2, 2] = 1  # looks one down and to the right, or two where nothing was added before
    write_graph(tmp_path / 'graph.json', nodes, dict(w=kernel, b=[-.5]))
    image = torch.arange(16).view(1, 4, 4, 1).int()
    out = tfjs.TFJSGraph(tmp_path / 'graph.json').run(image)['out'][0]
    assert out[0, :, :, 0].tolist() == [[9.5, 0], [0, 0]]


def test_damaged_and_other_files_are_refused(tfjs, tmp_path):
    path = tmp_path / 'graph.json'
    write_graph(path, [], dict(w=[1., 2.]))
    path.with_suffix('.bin').write_bytes(b'12345')
    with pytest.raises(ValueError, match='graph.json: 5 bytes of weights, 4 expected'):
        tfjs.TFJSGraph(path)
    path.write_text('{}')
    with pytest.raises(ValueError, match='graph.json: no tfjs graph model'):
        tfjs.TFJSGraph(path)


def test_padding_and_pooling(tfjs, tmp_path):
    nodes = [dict(name='image', op='Placeholder'), dict(name='padded', op='Pad', input=['image', 'widths']),
             dict(name='out', op='MaxPool', input=['padded'], attr=dict(
                 ksize=dict(list=dict(i=['1', '2', '2', '1'])), strides=dict(list=dict(i=['1', '2', '2', '1'])),
                 padding=text('VALID')))]
    write_graph(tmp_path / 'graph.json', nodes, dict(widths=[[0, 0], [1, 0], [0, 2], [0, 0]]))
    graph = tfjs.TFJSGraph(tmp_path / 'graph.json')
    graph.constants['widths'] = graph.constants['widths'].astype(np.int32)
    values = graph.run(torch.arange(1., 7).view(1, 2, 3, 1))
    assert values['padded'][0][0, :, :, 0].tolist() == [[0] * 5, [1, 2, 3, 0, 0], [4, 5, 6, 0, 0]]
    assert values['out'][0][0, :, :, 0].tolist() == [[2, 3]]


@pytest.mark.parametrize('converter, name', [('movenet2mmhuman', 'MoveNet'), ('blazepose2mmhuman', 'BlazePose')])
def test_a_graph_of_another_network_is_refused(tfjs, tmp_path, converter, name):
    write_graph(tmp_path / 'graph.json', [], {})
    converter = load_script(f'tools/model_converters/{converter}.py')
    with pytest.raises(ValueError, match=f'other layers than {name}'):
        converter.convert(tfjs.TFJSGraph(tmp_path / 'graph.json'))
