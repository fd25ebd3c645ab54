# The network of vit-tiny_synthetic-crowd.py, its people placed together by DTO (docs/posterior.md, "At test time"), on
# an imitated depth map. A real one: source=dict(type='PrecomputedDepth', folder=...).
# Without: --cfg-options model.test_cfg.dto=None
_base_ = ['./vit-tiny_synthetic-crowd.py']

# What this network's distances and sizes are worth: tools/benchmark/fit_network_terms.py, on other crowds. Its focal
# lengths stay: heights of people of unknown age say less of them. Its poses are too coarse for feet to tell the ground,
# its pictures too small for 500 visible vertices a person.
model = dict(test_cfg=dict(dto=dict(
    type='RefineByDTO', evidence=dict(min_visible_vertices=100),
    solver=dict(type='PosteriorDTO', focal_std=0, size_std=.08, terms=dict(
        initial=None, ground=None, translation=dict(type='TranslationTerm', std=.06, bias_std=.09))))))
test_dataloader = dict(dataset=dict(pipeline=[
    dict(type='AddDisparity', source=dict(type='ImitatedDepth')),
    dict(type='PackHumanInputs'),
]))
