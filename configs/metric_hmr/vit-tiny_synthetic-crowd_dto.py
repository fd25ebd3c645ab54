# The network of vit-tiny_synthetic-crowd.py, its people placed together by DTO (docs/posterior.md, "At test time"), on
# an imitated depth map. A real one: source=dict(type='PrecomputedDepth', folder=..., kind=...).
# Without: --cfg-options model.test_cfg.dto=None
_base_ = ['./vit-tiny_synthetic-crowd.py', '../_base_/dto/vit-tiny.py']

model = dict(test_cfg=dict(dto=dict(
    type='RefineByDTO', evidence={{_base_.stages.dto.evidence}}, solver={{_base_.stages.dto.solver}})))
test_dataloader = dict(dataset=dict(pipeline=[
    dict(type='AddDisparity', source=dict(type='ImitatedDepth')),
    dict(type='PackHumanInputs'),
]))
