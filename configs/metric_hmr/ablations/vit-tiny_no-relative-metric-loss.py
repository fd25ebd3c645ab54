# The same without the relative metric loss.
_base_ = ['vit-tiny_short.py']

model = dict(
    criterion=dict(losses=dict(depths_mt=None)))
