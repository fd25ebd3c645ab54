"""The tutorial's label, output, loss and cost, all from one file outside the package."""
import copy
import importlib.util

import pytest
import torch
from scripts import ROOT
from tiny_network import COSTS, LOSSES, build, config, images, prepared, sample, typed

from mmhuman_dto.registry import MODELS, TASK_UTILS
from mmhuman_dto.structures import FIELDS, FieldSpec, HumanDataSample, register_field

CONTACTS = dict(
    head=dict(type='ContactHead', dims=16, num_layers=2, num_betas=11),
    criterion=dict(
        type='SetCriterion', losses=typed(dict(LOSSES, contacts='ContactLoss')),
        assigner=dict(type='HungarianAssigner', costs=typed(dict(COSTS, contacts='ContactCost')))))


@pytest.fixture(scope='module', autouse=True)
def users_file(tmp_path_factory):
    """The file as the tutorial shows it, imported for these tests alone."""
    places = [(FIELDS, 'contacts'), (MODELS._module_dict, 'ContactHead'), (MODELS._module_dict, 'ContactLoss'),
              (TASK_UTILS._module_dict, 'ContactCost')]
    before = [table.pop(name, None) for table, name in places]  # the tutorial's, where its own test has run
    code = (ROOT / 'docs/tutorials/your_parts.md').read_text().split('```python\n# my_contacts.py\n')[1].split('```')[0]
    path = tmp_path_factory.mktemp('user') / 'my_contacts_of_tests.py'
    path.write_text(code)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    yield
    for (table, name), entry in zip(places, before):
        del table[name]
        if entry is not None:
            table[name] = entry


def people_with(contacts):
    result = sample((112, 112), len(contacts))
    result.gt_instances.contacts = torch.tensor(contacts)
    return result


def run(samples):
    model = build(**CONTACTS).train()
    data = prepared(model, images(*[(112, 112)] * len(samples)), samples)
    return model, data, model(**data, mode='loss')


def test_a_step_of_training_gives_the_loss_and_its_gradient():
    labelled = people_with([[1., 0.], [0., 1.], [torch.nan, 1.]])
    model, data, losses = run([labelled, sample((112, 112), 2)])
    targets = model.targets(data['data_samples'], model.body_model, 112, model.criterion.labels)
    layers = model.outputs(data['inputs'], [(112, 112)] * 2)['layers']
    query, person = model.criterion.assigner(layers, targets)
    for name, pred, queries, rows in zip(('loss_contacts.0', 'loss_contacts'), layers['pred_contacts'], query, person):
        errors = [(pred.flatten(0, 1)[q] - labelled.gt_instances.contacts[p]).square().mean()
                  for q, p in zip(queries, rows) if p < 2]  # neither the third nor the other image's are known
        torch.testing.assert_close(losses[name], sum(errors) / 2)
    losses['loss_contacts'].backward()
    assert model.head.contact.weight.grad.abs().max() > 0


def test_the_cost_takes_part_in_the_pairs():
    model, data, _ = run([people_with([[1., 0.]])])
    targets = model.targets(data['data_samples'], model.body_model, 112, ['contacts'])
    layers = model.outputs(data['inputs'], [(112, 112)])['layers']
    for query in range(6):
        layers['pred_contacts'] = torch.full((2, 1, 6, 2), .5)
        layers['pred_contacts'][:, 0, query] = torch.tensor([1., 0.])
        model.criterion.assigner.costs['contacts'].weight = 1e4
        assert model.criterion.assigner(layers, targets)[0].tolist() == [[query]] * 2


def test_the_prediction_is_a_field_of_the_people_found():
    model = build(threshold=0., **CONTACTS)
    people = model(**prepared(model, images((112, 112)), [HumanDataSample()]), mode='predict')[0].pred_instances
    assert people.contacts.shape == (6, 2) and ((people.contacts > 0) & (people.contacts < 1)).all()


@pytest.mark.parametrize('part, said', [
    (dict(head=config()['head']), 'ContactLoss needs pred_contacts; this network gives pred_betas'),
    (dict(backbone=dict(config()['backbone'], type='VisionTransformer')), 'needs scale_map; this network gives'),
])
def test_what_nothing_gives_is_said_before_anything_runs(part, said):
    wrong = copy.deepcopy(config(**{**CONTACTS, **part}))
    if 'backbone' in part:
        del wrong['backbone']['num_additional_blocks']
    wrong['criterion']['assigner'] = config()['criterion']['assigner']
    with pytest.raises(ValueError, match=said):
        MODELS.build(wrong)


def test_a_label_is_registered_once_and_before_it_is_asked_for(monkeypatch):
    register_field('contacts', FIELDS['contacts'])
    with pytest.raises(ValueError, match="people field 'contacts' is .* it cannot also be"):
        register_field('contacts', FieldSpec('label', (), 'anything'))
    monkeypatch.delitem(FIELDS, 'contacts')
    with pytest.raises(ValueError, match='ContactCost needs contacts, which is neither a target nor a field of people'):
        build(**CONTACTS)
